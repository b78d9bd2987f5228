"""One process of the local system, from its start to its end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.component import Component, ComponentFailed, dying_with, wait_until_ready
from tests.local.system.processes import is_running, wait_for

REPOSITORY = Path(__file__).resolve().parents[3]


def component(folder: Path, script: str, *, ready: bool = True) -> Component:
    """A component that runs a shell script."""
    return Component(
        name="example",
        command=["bash", "-c", script],
        environment={"PATH": os.environ["PATH"]},
        folder=folder,
        log=folder / "example.log",
        ready=lambda: ready,
    )


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Component]:
    """A running component with a child of its own, whose id is its log's first line."""
    sleeping = component(tmp_path, "sleep 1000 & echo $!; wait")
    sleeping.start()
    assert wait_for(sleeping.log.read_text)
    yield sleeping
    sleeping.kill()


def test_the_end_of_the_log_is_told_when_a_component_ends_on_its_own(tmp_path: Path) -> None:
    broken = component(tmp_path, "echo the disk is full >&2; exit 3", ready=False)
    broken.start()
    with pytest.raises(ComponentFailed, match=r"example ended with exit code 3(?s:.*)the disk is full"):
        wait_until_ready([broken], seconds=5)


def test_what_it_is_started_with_more_counts_for_this_start_alone(tmp_path: Path) -> None:
    saying = component(tmp_path, 'echo "said $WORD"; sleep 1000')
    for count, more in enumerate(({"WORD": "once"}, None), start=1):
        saying.start(more)
        wait_until_said(saying, lines=count)
        saying.kill()
    assert saying.log.read_text().splitlines() == ["said once", "said "]


def wait_until_said(saying: Component, lines: int) -> None:
    assert wait_for(lambda: len(saying.log.read_text().splitlines()) == lines)


def test_a_component_that_never_serves_is_reported(tmp_path: Path) -> None:
    slow = component(tmp_path, "echo still thinking; sleep 1000", ready=False)
    slow.start()
    try:
        with pytest.raises(ComponentFailed, match=r"did not serve within 1 s(?s:.*)still thinking"):
            wait_until_ready([slow], seconds=1)
    finally:
        slow.kill()


def test_stopping_ends_the_children_too(sleeper: Component) -> None:
    parent, child = sleeper.pid, int(sleeper.log.read_text())
    assert is_running(parent)
    assert is_running(child)
    sleeper.stop()
    assert not is_running(parent)
    assert wait_for(lambda: not is_running(child))


def test_the_children_of_a_component_that_ended_on_its_own_are_ended(sleeper: Component) -> None:
    child = int(sleeper.log.read_text())
    os.kill(sleeper.pid, signal.SIGKILL)
    assert wait_for(lambda: not sleeper.running)
    assert is_running(child)
    sleeper.stop()
    assert wait_for(lambda: not is_running(child))


def test_a_component_that_ignores_its_stop_signal_is_killed(tmp_path: Path) -> None:
    stubborn = component(tmp_path, "trap '' TERM; echo deaf; while true; do sleep 1; done")
    stubborn.start()
    assert wait_for(stubborn.log.read_text)
    pid = stubborn.pid
    stubborn.stop()
    assert not is_running(pid)


def test_a_component_ends_in_order_when_it_is_asked_to(tmp_path: Path) -> None:
    orderly = component(tmp_path, "trap 'echo tidied; exit 0' TERM; echo up; while true; do sleep 0.05; done")
    orderly.start()
    assert wait_for(orderly.log.read_text)
    orderly.stop()
    assert orderly.log.read_text().split() == ["up", "tidied"]


def test_a_stopped_component_can_be_started_again(sleeper: Component) -> None:
    first = sleeper.pid
    sleeper.stop()
    sleeper.start()
    assert sleeper.running
    assert sleeper.pid != first


def test_a_running_component_is_not_started_twice(sleeper: Component) -> None:
    with pytest.raises(RuntimeError, match="runs already"):
        sleeper.start()


def test_a_thread_that_may_end_starts_nothing(tmp_path: Path) -> None:
    """The kernel would end the component together with the thread."""
    raised: list[Exception] = []

    def start() -> None:
        try:
            component(tmp_path, "sleep 1000").start()
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert [str(error) for error in raised] == ["example must be started by the main thread"]


def test_a_component_dies_with_a_parent_that_is_killed_by_force(tmp_path: Path) -> None:
    with started_by(tmp_path, "time.sleep(1000)") as parent:
        child = int(told_by(parent))
        assert is_running(child)
        parent.kill()
    started = time.monotonic()
    assert wait_for(lambda: not is_running(child))
    assert time.monotonic() - started < 2


def test_what_was_orphaned_before_the_kernel_knew_of_it_does_not_begin() -> None:
    somebody_else = os.getppid()
    command = dying_with(somebody_else, signal.SIGKILL, ["echo", "began"])
    orphaned = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (orphaned.returncode, orphaned.stdout) == (1, "")
    command = dying_with(os.getpid(), signal.SIGKILL, ["echo", "began"])
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "began\n"


def test_starting_runs_none_of_the_handlers_that_libraries_set_for_fork(tmp_path: Path) -> None:
    """gRPC's start its threads again in the copy, which dies of that now and then."""
    before = """
import ctypes
handler = ctypes.CFUNCTYPE(None)(lambda: print("forked", flush=True))
assert ctypes.CDLL(None).__register_atfork(handler, None, None, None) == 0
"""
    with started_by(tmp_path, "child.kill(); os.waitpid(os.fork() or os._exit(0), 0)", before) as parent:
        assert told_by(parent).isdecimal()
        assert told_by(parent) == "forked"


def started_by(folder: Path, after: str, before: str = "") -> subprocess.Popen[str]:
    """A process that starts a component and prints its id, with statements before and after that."""
    script = f"""
import os, sys, time
from pathlib import Path
from local.component import Component
{before}
folder = Path(sys.argv[1])
child = Component("child", ["sleep", "1000"], {{}}, folder, folder / "log", lambda: True)
child.start()
print(child.pid, flush=True)
{after}
"""
    command = [sys.executable, "-c", script, str(folder)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def told_by(process: subprocess.Popen[str]) -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()
