"""One process of the local system: started, watched until it serves, stopped, never outliving its parent."""

import contextlib
import os
import signal
import subprocess
import threading
import time
import urllib.error
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.ports import direct

# Longer than any component takes to end in order; what is left after that is killed.
SECONDS_TO_STOP = 4
SECONDS_BETWEEN_LOOKS = 0.03
LINES_OF_LOG_IN_AN_ERROR = 20
# $0 is the parent's id: it may have died before the kernel knew what to do then.
_UNLESS_ORPHANED = '[ "$PPID" = "$0" ] && exec "$@"'


class ComponentFailed(Exception):
    """A component of the local system did not start, or ended on its own."""


@dataclass(eq=False)
class Component:
    """A command in a process group of its own, with one log file.

    `ready` says whether it serves. `stop_signal` asks it to end in order; `death_signal` is what the kernel
    sends it when this process dies without stopping it, even by kill -9.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    ready: Callable[[], bool]
    address: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, more: Mapping[str, str] | None = None) -> None:
        """Start the process, this once with `more` in its environment; `wait_until_ready` tells when it serves.

        Only the main thread may: the kernel sends the death signal when the *thread* that started it ends.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(f"{self.name} must be started by the main thread")
        if self.running:
            raise RuntimeError(f"{self.name} runs already, as process {self.pid}")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                dying_with(os.getpid(), self.death_signal, self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**self.environment, **(more or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def check_running(self) -> None:
        """Raises `ComponentFailed` with the log's tail if the process ended on its own."""
        if self._process is not None and self._process.poll() is not None:
            ended = f"{self.name} ended with exit code {self._process.returncode}"
            raise ComponentFailed(f"{ended}; the end of {self.log}:\n{self.tail()}")

    def tail(self, lines: int = LINES_OF_LOG_IN_AN_ERROR) -> str:
        """The last lines of its log, indented."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (nothing)"

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once."""
        if self._process is not None and not self._ended():
            self._process.send_signal(self.stop_signal)

    def stop(self) -> None:
        """End the process in order, and whatever is left of its group by force."""
        self.ask_to_stop()
        self._end(time.monotonic() + SECONDS_TO_STOP)

    def kill(self) -> None:
        """kill -9 the whole group, as a crash would end it."""
        self._end(time.monotonic())

    def _end(self, deadline: float) -> None:
        """Wait until `deadline` (monotonic), then kill the group; `start` works again afterwards."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            while not _has_ended(process.pid) and time.monotonic() < deadline:
                time.sleep(SECONDS_BETWEEN_LOOKS)
        # Before the process is reaped: until then nobody else can have been given its group's number.
        _kill_group(process)
        process.wait()

    def _ended(self) -> bool:
        return self._process is None or self._process.returncode is not None or _has_ended(self._process.pid)


def wait_until_ready(components: Sequence[Component], seconds: float) -> None:
    """Poll until every component serves; raises `ComponentFailed` for one that ended or took longer."""
    deadline = time.monotonic() + seconds
    waiting = list(components)
    while waiting:
        for component in waiting:
            component.check_running()
        waiting = [component for component in waiting if not component.ready()]
        if waiting and time.monotonic() > deadline:
            slow = waiting[0]
            raise ComponentFailed(
                f"{slow.name} did not serve within {seconds:.0f} s; the end of {slow.log}:\n{slow.tail()}"
            )
        if waiting:
            time.sleep(SECONDS_BETWEEN_LOOKS)


def answers(url: str) -> bool:
    """Whether a server answers at `url`, whatever it says."""
    try:
        with direct.open(url, timeout=1):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def dying_with(parent: int, death_signal: signal.Signals, command: Sequence[str]) -> list[str]:
    """The command for a child of `parent` to which the kernel sends a signal when the thread that started it ends.

    By other programs, not by a `preexec_fn`: that needs fork, in whose copies of this process gRPC starts its threads
    again, and now and then dies of it.
    """
    dying = ["setpriv", "--pdeathsig", death_signal.name.removeprefix("SIG"), "--"]
    return [*dying, "sh", "-c", _UNLESS_ORPHANED, str(parent), *command]


def _has_ended(pid: int) -> bool:
    """Whether a child has ended, without reaping it."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return ended is not None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
