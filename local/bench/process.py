"""One program run to its end, and what the kernel says that it took."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LINES_OF_LOG_IN_AN_ERROR = 20
# The kernel's peak of a process begins with the memory of the one that starts it: so a small one has to. It ends as
# the program does (128 and more: by a signal, as shells tell it), and tells CPU seconds and peak (KiB on Linux).
_STARTER = """
import os, sys
told, command = int(sys.argv[1]), sys.argv[2:]
child = os.fork()
if not child:
    os.close(told)
    os.execvp(command[0], command)
_, status, usage = os.wait4(child, 0)
os.write(told, f"{usage.ru_utime + usage.ru_stime} {usage.ru_maxrss}".encode())
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
"""


class ProgramFailed(Exception):
    """A program that is measured did not do its work."""


@dataclass(frozen=True)
class Cost:
    """CPU is user and system time of the whole process; the peak is of its resident memory."""

    cpu_seconds: float
    wall_seconds: float
    peak_mib: float


def run_measured(command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> Cost:
    """Run the command in `folder`, its output in `log`; raises ProgramFailed with the log's end."""
    begin = time.perf_counter()
    read_end, write_end = os.pipe()
    with log.open("wb") as output, os.fdopen(read_end) as told:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _STARTER, str(write_end), *command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[write_end],
            start_new_session=True,
        )
        os.close(write_end)
        try:
            process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        wall = time.perf_counter() - begin
        if process.returncode:
            raise ProgramFailed(f"{' '.join(command)} ended with exit code {process.returncode}:\n{tail(log)}")
        cpu_seconds, peak_kib = map(float, told.read().split())
    return Cost(cpu_seconds, wall, peak_kib / 1024)


def tail(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LINES_OF_LOG_IN_AN_ERROR:])
