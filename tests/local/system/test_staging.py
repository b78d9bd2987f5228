"""`deploy.sh stage` assembles what ships: each function's folder works alone."""

import subprocess
from pathlib import Path

import pytest

from local import functions

REPOSITORY = Path(__file__).resolve().parents[3]
DEPLOY = str(REPOSITORY / "deploy.sh")


def stage(build: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Staged from another folder, as a person may call it from anywhere."""
    environment = {"PATH": "/usr/bin:/bin", "BUILD_FOLDER": str(build)}
    return subprocess.run(
        [DEPLOY, "stage", *names], cwd=build.parent, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", functions.NAMES)
def test_a_function_is_staged_with_all_that_it_imports(tmp_path: Path, name: str) -> None:
    build = tmp_path / "a build"
    assert stage(build, name).returncode == 0
    staged = build / name
    assert [entry.name for entry in build.iterdir()] == [name]
    assert (staged / "main.py").read_text() == (REPOSITORY / "functions" / name / "main.py").read_text()
    assert (staged / "requirements.txt").exists()
    modules = {path.relative_to(REPOSITORY) for path in (REPOSITORY / "shared").rglob("*.py")}
    assert {path.relative_to(staged) for path in (staged / "shared").rglob("*.py")} == modules


def test_the_console_is_staged_with_its_pages_and_what_browsers_get(tmp_path: Path) -> None:
    assert stage(tmp_path / "build", "console", "launch").returncode == 0
    kept = {path.relative_to(REPOSITORY / "console") for path in (REPOSITORY / "console").rglob("*.*")}
    there = {path for path in kept if "__pycache__" not in path.parts}
    staged = tmp_path / "build" / "console" / "console"
    assert {path.relative_to(staged) for path in staged.rglob("*.*")} == there
    assert {Path("templates/base.html"), Path("static/console.js")} <= there
    assert not (tmp_path / "build" / "launch" / "console").exists()


def test_nothing_that_python_left_behind_is_staged(tmp_path: Path) -> None:
    assert stage(tmp_path / "build").returncode == 0
    assert list((tmp_path / "build").rglob("__pycache__")) == []
    assert [path for path in (tmp_path / "build").rglob("*") if path.is_symlink()] == []


def test_staging_again_drops_what_is_gone(tmp_path: Path) -> None:
    build = tmp_path / "build"
    stage(build, "launch")
    (build / "launch" / "forgotten.py").touch()
    stage(build, "launch")
    assert not (build / "launch" / "forgotten.py").exists()


def test_an_unknown_function_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    result = stage(tmp_path / "build", "lunch")
    assert result.returncode == 2
    assert "there is no function 'lunch'; there are: dispatch launch complete forward console" in result.stderr
