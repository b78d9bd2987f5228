"""What the job's image runs on, built by its own script in a clean virtual environment: complete, compiled, bare."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import uuid
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from local.clients import LocalClients
from local.environment import PROJECT
from local.pubsub import DEAD_LETTERS
from local.system import System
from tests.image.dockerfile import copied_files, entrypoint, environment, read_dockerfile
from tests.image.runtime import REPOSITORY, make_environment, path_with_pip
from tests.once import made_once

INSTRUCTIONS = read_dockerfile(REPOSITORY / "Dockerfile")
# As root, without root's powers and under another id, as in the container; anybody else has none anyway.
NOBODY = ["unshare", "--user", "--map-user=65532", "--map-group=65532"] if os.geteuid() == 0 else []


@dataclass(frozen=True)
class Image:
    """The image's file system as far as the job sees it, in folders that nobody may write."""

    python: Path
    app: Path

    @property
    def packages(self) -> Path:
        return self.python.parents[1] / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)

    def run(self, variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        """What the entry point starts, or the interpreter with other arguments, with the image's own variables."""
        _, script = entrypoint(INSTRUCTIONS)
        command = [str(self.python), *(arguments or [script.replace("/app", str(self.app))])]
        set_there = environment(INSTRUCTIONS) | {"HOME": "/"}
        return subprocess.run(
            [*NOBODY, *command],
            cwd=self.app,
            env=set_there | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    root = made_once(tmp_path_factory, "image", build)
    return Image(root / "python" / "bin" / "python", root / "app")


def build(root: Path) -> None:
    """By what the Dockerfile copies, and runs."""
    for place, path in copied_files(INSTRUCTIONS, REPOSITORY).items():
        copy = root / place.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    python = make_environment(root / "python")
    (script,) = [word for each in INSTRUCTIONS if each.name == "RUN" for word in each.arguments.split()
                 if PurePosixPath(word).name == "runtime.sh"]  # fmt: skip
    command = [str(root / script[1:]), str(python), str(root / "build/requirements-job.txt"), str(root / "app")]
    subprocess.run(command, env={**os.environ, "PATH": path_with_pip()}, check=True)
    for folder in (root, *root.rglob("*")):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o555)


def test_the_job_loads_a_table_as_nobody_with_nothing_but_its_image(
    image: Image, system: System, clients: LocalClients, tmp_path: Path
) -> None:
    table = f"from_the_image_{uuid.uuid4().hex[:8]}"
    variables = {
        **{name: value for name, value in system.settings.items() if not name.startswith("POSTGRES")},
        "TMPDIR": str(tmp_path),
        "CONFIG_NAME": "inventory",
        "GOOGLE_SHEET_URL": "https://docs.google.com/spreadsheets/d/inventory/edit",
        "GOOGLE_CLOUD_PROJECT_ID": PROJECT,
        "BIGQUERY_DATASET_ID": "image_tests",
        "BIGQUERY_TABLE_ID": table,
        "SCHEMA_HANDLING": "auto_detect",
        # A run's, so that what publishes is in the image, too.
        "RUN_ID": str(uuid.uuid4()),
        "RUN_ATTEMPT": "1",
        "BIGQUERY_JOB_PROJECT": PROJECT,
        "COMPLETION_TOPIC": f"projects/{PROJECT}/topics/{DEAD_LETTERS}",
    }
    ended = image.run(variables)
    assert (ended.returncode, ended.stdout) == (
        0, f"Job completed successfully: 48 rows into {PROJECT}.image_tests.{table}\n"
    ), ended.stderr  # fmt: skip
    assert "did not publish" not in ended.stderr
    assert clients.bigquery.get_table(f"{PROJECT}.image_tests.{table}").num_rows == 48


def test_every_module_of_the_job_finds_what_it_needs(image: Image) -> None:
    modules = [path.relative_to(image.app).with_suffix("") for path in (image.app / "job").rglob("*.py")]
    told = image.run({}, "-c", f"import {', '.join('.'.join(module.parts) for module in modules)}")
    assert (told.returncode, told.stderr) == (0, "")


def test_nothing_is_compiled_when_the_job_starts(image: Image) -> None:
    sources = [path for folder in (image.packages, image.app) for path in folder.rglob("*.py")]
    assert len(sources) > 1000
    uncompiled = [path for path in sources if not is_compiled_for_good(path)]
    assert uncompiled == []


def is_compiled_for_good(source: Path) -> bool:
    """Whether its bytecode is there and is used without a look at the source: PEP 552's flags 0b01."""
    compiled = Path(importlib.util.cache_from_source(str(source)))
    return compiled.exists() and compiled.read_bytes()[4:8] == b"\x01\0\0\0"


def test_no_shared_library_needs_one_that_was_removed(image: Image) -> None:
    libraries = [str(path) for path in image.packages.rglob("*.so*")]
    told = subprocess.run(["ldd", *libraries], capture_output=True, text=True, check=False)
    assert "libarrow" in told.stdout
    assert [line.strip() for line in told.stdout.splitlines() if "not found" in line] == []


def test_nothing_that_installs_serves_or_connects_to_a_database_is_in_it(image: Image) -> None:
    here = {path.name.partition("-")[0].lower() for path in image.packages.iterdir()}
    assert "pyarrow" in here
    unwanted = {"pip", "setuptools", "wheel", "flask", "gunicorn", "uvicorn", "functions_framework", "pg8000", "pandas"}
    assert here & unwanted == set()
    assert sorted(path.name for path in image.packages.glob("googleapiclient/discovery_cache/documents/*")) == [
        "drive.v3.json",
        "sheets.v4.json",
    ]
