"""Whichever Python starts what people type, the one with the packages goes on, or it is told how to make one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
# Without its site-packages, whatever a machine's owner has installed there.
BARE = ["/usr/bin/env", "-i", os.path.realpath("/usr/bin/python3"), "-S"]
STARTED = [["job_helper.py"], ["job_orchestrator.py"], ["migrate.py"], ["main.py"], ["-m", "sql"], ["-m", "local.look"]]
pytestmark = pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="there is no Python but the project's")


def start(started: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [*BARE, *started]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("started", STARTED, ids=" ".join)
def test_a_python_without_the_packages_and_no_environment_is_told_what_to_install(
    started: list[str], tmp_path: Path
) -> None:
    for name in ("job_helper.py", "job_orchestrator.py", "migrate.py", "main.py"):
        shutil.copy(REPOSITORY / name, tmp_path)
    for name in ("commands", "job", "shared", "sql", "local"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    done = start(started, tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "--no-deps --require-hashes -r" in done.stderr
    assert "requirements.txt" in done.stderr


@pytest.mark.parametrize(
    ("started", "told"),
    [
        (["job_helper.py", "--json", "configs"], "POSTGRES_DB is missing"),
        (["migrate.py", "status"], "POSTGRES_DB is missing"),
        (["main.py"], "GOOGLE_SHEET_URL is missing"),
        (["-m", "sql", "grant"], "grant and revoke need at least one ROLE"),
        (["-m", "local.look", "inventory"], "no local system is named"),
    ],
)
def test_where_there_is_an_environment_its_python_goes_on_with_what_was_typed(started: list[str], told: str) -> None:
    done = start(started, REPOSITORY)
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("typed", [["job_helper.py", "example"], ["job_helper.py", "--help"]], ids=" ".join)
def test_who_reads_only_the_beginning_of_what_it_tells_sees_no_error(typed: list[str], unbuffered: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, *typed]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, stdout=write_end, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(write_end)
    assert b"Broken pipe" not in done.stderr
