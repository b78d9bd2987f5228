"""What gets into the job's image, and what never does, told from the Dockerfile without a container engine."""

import ast
import os
import shutil
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

import pytest

from local.prerequisites import sdk_folders
from tests.deploy.linter import find_gcloud, gcloud_environment
from tests.image.dockerfile import copied_files, entrypoint, environment, last, read_dockerfile

REPOSITORY = Path(__file__).parents[2]
INSTRUCTIONS = read_dockerfile(REPOSITORY / "Dockerfile")
APP = PurePosixPath("/app")
# What lies around in a clone that somebody works in.
LYING_AROUND = (
    ".git/config", ".env", "orchestrator-env.yaml", "service-account.json", "key.json", "test_config.json",
    "config.json", "service-logs.json", "service-sheettobigquery.yaml",
    "tests/unit/test_x.py", "local/demo.py", "functions/launch/main.py", "commands/plan.py", "sql/schema.sql",
    "build/launch/main.py", ".venv/bin/python", "job/__pycache__/report.cpython-311.pyc", "shared/old.pyc",
    "requirements-dev.txt", "deploy/destroy.sh", "deploy.sh", "job_helper.py", "README.md",
)  # fmt: skip


@pytest.fixture
def worked_in(tmp_path: Path) -> Path:
    """The sources of the image, among what lies around."""
    for name in ("main.py", "Dockerfile", ".dockerignore", ".gcloudignore", "requirements-job.txt"):
        shutil.copy(REPOSITORY / name, tmp_path)
    for name in ("job", "shared", "deploy/image"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    for name in LYING_AROUND:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret")
    return tmp_path


def sources(folder: Path) -> set[str]:
    """Our modules of the job, by path."""
    python = [path for name in ("job", "shared") for path in (folder / name).rglob("*.py")]
    return {path.relative_to(folder).as_posix() for path in python} | {"main.py"}


def test_the_image_has_the_jobs_modules_and_nothing_that_lies_around(worked_in: Path) -> None:
    inside = copied_files(INSTRUCTIONS, worked_in)
    app = {place.relative_to(APP).as_posix() for place in inside if place.is_relative_to(APP)}
    assert app == sources(worked_in)
    others = {place.as_posix() for place in inside if not place.is_relative_to(APP)}
    assert others == {"/build/runtime.sh", "/build/requirements-job.txt"}


def test_the_build_gets_the_images_sources_and_nothing_that_lies_around(
    worked_in: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As gcloud itself reads .gcloudignore."""
    gcloud = find_gcloud(sdk_folders(os.environ))
    told = subprocess.run(
        [str(gcloud), "meta", "list-files-for-upload", str(worked_in)],
        env=gcloud_environment(tmp_path_factory.mktemp("gcloud")),
        capture_output=True,
        text=True,
        check=True,
    )
    needed = {"Dockerfile", ".dockerignore", "requirements-job.txt", "deploy/image/runtime.sh"}
    assert set(told.stdout.split()) == sources(worked_in) | needed


def test_whatever_the_job_imports_of_ours_is_in_the_image() -> None:
    inside = {place.relative_to(APP): path for place, path in copied_files(INSTRUCTIONS, REPOSITORY).items()
              if place.is_relative_to(APP)}  # fmt: skip
    modules = {".".join(place.with_suffix("").parts).removesuffix(".__init__"): path for place, path in inside.items()}
    waiting, imported = ["main"], set()
    while waiting:
        module = waiting.pop()
        imported.add(module)
        needed = set(imports_of_ours(modules[module], modules))
        assert needed <= modules.keys(), module
        waiting += needed - imported
    assert {"job.reading.sheet", "job.loading.load", "shared.clients", "shared.messages"} <= imported


def imports_of_ours(path: Path, modules: Collection[str]) -> Iterator[str]:
    """The modules of this repository that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [str(node.module), *(name for name in submodules if name in modules)]
        else:
            continue
        yield from (name for name in names if (REPOSITORY / name.partition(".")[0]).is_dir())


def test_the_job_runs_as_nobody_in_particular_and_hears_signals_itself() -> None:
    user, group = last(INSTRUCTIONS, "USER").split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert entrypoint(INSTRUCTIONS) == ["/usr/local/bin/python3", "/app/main.py"]


def test_nothing_is_waited_for_and_nothing_compiled_in_the_container() -> None:
    set_there = environment(INSTRUCTIONS)
    assert (set_there["PYTHONUNBUFFERED"], set_there["PYTHONDONTWRITEBYTECODE"]) == ("1", "1")


def test_the_base_is_a_digest_and_none_is_written_down_here() -> None:
    stages = [each.arguments.split()[0] for each in INSTRUCTIONS if each.name == "FROM"]
    assert stages == ["${BASE}", "scratch"]
    assert ("ARG", "BASE") in INSTRUCTIONS
    assert "*@sha256:*) ;;" in (REPOSITORY / "Dockerfile").read_text()


def test_the_jobs_packages_are_those_of_all_pinned_and_hashed_alike() -> None:
    everything, job = pins("requirements.txt"), pins("requirements-job.txt")
    assert job.items() <= everything.items()
    assert all(job.values())
    for name in ("functions-framework", "flask", "pg8000", "google-cloud-run", "rich", "pip", "setuptools"):
        assert not any(pin.startswith(f"{name}==") for pin in job), name


def pins(name: str) -> dict[str, frozenset[str]]:
    """`package==version` and its hashes."""
    found: dict[str, set[str]] = {}
    for line in (REPOSITORY / name).read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            pin = line.split()[0]
            found[pin] = set()
        elif "--hash=" in line:
            found[pin].add(line.strip().rstrip("\\ "))
    return {pin: frozenset(hashes) for pin, hashes in found.items()}
