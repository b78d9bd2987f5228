"""The virtual environment is made, made again where it is broken, and not made where it cannot be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPT = "local/install.sh"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone, in a path with a space, that needs no packages."""
    folder = tmp_path / "a clone"
    (folder / "local").mkdir(parents=True)
    for name in (SCRIPT, "local/prerequisites.py"):
        shutil.copy(REPOSITORY / name, folder / name)
    (folder / "requirements-dev.txt").touch()
    return folder


def install(clone: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path or os.environ["PATH"], "HOME": str(clone), "PYTHON": sys.executable}
    command = ["/bin/bash", str(clone / SCRIPT)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_virtual_environment_is_made_once(clone: Path) -> None:
    first = install(clone)
    assert (first.returncode, first.stderr) == (0, "")
    assert "Making .venv" in first.stdout
    assert (clone / ".venv" / "installed").exists()
    assert "Making .venv" not in install(clone).stdout


def test_a_broken_virtual_environment_is_made_again(clone: Path) -> None:
    broken = clone / ".venv" / "bin" / "python"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    result = install(clone)
    assert (result.returncode, result.stderr) == (0, "")
    assert subprocess.run([broken, "-c", "import pip"], check=False).returncode == 0


def test_what_failed_to_install_is_tried_again(clone: Path) -> None:
    (clone / "requirements-dev.txt").write_text("./not-there.whl --hash=sha256:00\n")
    assert install(clone).returncode != 0
    assert not (clone / ".venv" / "installed").exists()


def test_the_pinned_packages_are_all_that_they_need_themselves() -> None:
    # They are installed as they are listed, with nothing looked up beside them.
    check = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout


def test_without_any_python_the_remedy_is_told(clone: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "dirname").symlink_to("/usr/bin/dirname")
    environment = {"PATH": str(tools), "HOME": str(clone)}
    command = ["/bin/bash", str(clone / SCRIPT)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "Missing: Python 3.11 or newer" in result.stderr
    assert "apt-get install python3 python3-venv" in result.stderr
