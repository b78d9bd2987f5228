"""One program run to its end, and what the kernel says that it took."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LINES_OF_LOG_IN_AN_ERROR = 20


class ProgramFailed(Exception):
    """A program that is measured did not do its work."""


@dataclass(frozen=True)
class Cost:
    """CPU is user and system time of the whole process; the peak is of its resident memory."""

    cpu_seconds: float
    wall_seconds: float
    peak_mib: float


def run_measured(command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> Cost:
    """Run the command in `folder`, its output in `log`; raises ProgramFailed with the log's end.

    wait4's peak begins with the memory of the process that starts it: the caller must be smaller than what it
    measures, which is why the server has a process of its own.
    """
    begin = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        raise
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ProgramFailed(f"{' '.join(command)} ended with exit code {process.returncode}:\n{tail(log)}")
    # ru_maxrss is in KiB on Linux.
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def tail(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LINES_OF_LOG_IN_AN_ERROR:])
