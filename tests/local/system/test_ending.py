"""However `make up` ends, nothing that it started goes on."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.system.processes import is_running, processes_of, wait_for

REPOSITORY = Path(__file__).resolve().parents[3]
UP = [sys.executable, "-m", "local.up"]
# As make starts it, without the set-up: a shell between make and the command.
MADE = ["make", "--no-print-directory", "-f", "-", "up"]


class Running:
    """`make up` as a process, and all processes of its system."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.told = ""
        assert process.stdout is not None
        for line in process.stdout:
            self.told += line
            if "Ctrl-C stops everything" in line:
                break
        found = re.search(r"source (\S+)\.env", self.told)
        assert found, self.told
        self.folder = REPOSITORY / found[1]
        self.processes = processes_of(self.folder)

    def nothing_runs(self) -> bool:
        return not [pid for pid in self.processes if is_running(pid)] and not processes_of(self.folder)


@pytest.fixture
def up() -> Iterator[Running]:
    with subprocess.Popen(UP, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def test_the_command_that_is_told_ends_it_in_the_background(up: Running) -> None:
    told = re.search(r"in the background, `(kill \d+)`", up.told)
    assert told, up.told
    subprocess.run(["bash", "-c", told[1]], check=True)
    assert up.process.wait(timeout=20) == 128 + signal.SIGTERM
    assert up.nothing_runs()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_everything_in_order(up: Running, name: str) -> None:
    assert len(up.processes) >= 10
    up.process.send_signal(signal.Signals[name])
    assert up.process.wait(timeout=20) in (0, 128 + signal.Signals[name])
    assert up.nothing_runs()
    log = (up.folder / "logs" / "postgres.log").read_text()
    assert "database system is shut down" in log
    assert not up.folder.with_suffix(".env").exists()


def test_a_kill_by_force_ends_everything(up: Running) -> None:
    assert len(up.processes) >= 10
    up.process.kill()
    up.process.wait(timeout=20)
    assert wait_for(up.nothing_runs, seconds=15)


def test_the_death_of_make_ends_everything() -> None:
    makefile = f"up:\n\t@{shlex.quote(sys.executable)} -m local.up\n"
    with subprocess.Popen(
        MADE, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    ) as make:
        assert make.stdin is not None
        make.stdin.write(makefile)
        make.stdin.close()
        running = Running(make)
        make.kill()
        make.wait()
        assert wait_for(running.nothing_runs, seconds=20)
