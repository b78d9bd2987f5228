"""One attempt of a task: a program as a process group, with an environment, a time and a memory limit."""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.run.execution import (
    ABORTED,
    CANCELLED,
    CANCELLED_MESSAGE,
    DEADLINE_EXCEEDED,
    MEMORY_MESSAGE,
    TIMEOUT_MESSAGE,
    Outcome,
)

# https://cloud.google.com/run/docs/container-contract#lifecycle: SIGTERM, and SIGKILL 10 s later.
SECONDS_TO_TERMINATE = 10
# A limit that a process passes for less than this is not noticed.
SECONDS_BETWEEN_MEMORY_LOOKS = 0.25
MIB = 1024 * 1024
# The kernel ends the task with the server even if that is killed.
DIES_WITH_SERVER = ("setpriv", "--pdeathsig", "KILL", "--")


@dataclass(frozen=True)
class Program:
    """What an attempt runs.

    `env` is the whole environment but for PATH, HOME, TMPDIR and LANG, which it may override; HOME and TMPDIR
    are a folder of its own in `homes`, gone afterwards, as a container's file system is. Output is appended to
    `log_path`; `seconds` limits the attempt, `memory_mib` its resident memory.
    """

    command: Sequence[str]
    cwd: str
    homes: Path
    env: Mapping[str, str]
    log_path: Path
    seconds: float
    memory_mib: int


async def run_attempt(program: Program, cancelled: asyncio.Event) -> Outcome:
    """Run the program until it ends, passes a limit, or `cancelled` is set; what it started ends with it."""
    homes = tempfile.TemporaryDirectory(dir=program.homes, ignore_cleanup_errors=True)
    with homes as home, program.log_path.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *DIES_WITH_SERVER,
            *program.command,
            cwd=program.cwd,
            env={**_clean_environment(home), **program.env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
        try:
            return await _ended(process, program, cancelled)
        finally:
            _signal_group(process, signal.SIGKILL)
            await asyncio.shield(process.wait())


def _clean_environment(home: str) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"}


async def _ended(process: asyncio.subprocess.Process, program: Program, cancelled: asyncio.Event) -> Outcome:
    exited = asyncio.create_task(process.wait())
    stopped = asyncio.create_task(cancelled.wait())
    too_large = asyncio.create_task(_passed_memory(process.pid, program.memory_mib))
    watching = {exited, stopped, too_large}
    try:
        await asyncio.wait(watching, timeout=program.seconds, return_when=asyncio.FIRST_COMPLETED)
        if exited.done():
            # A process that a signal ended has 128 + its number, as a container's exit code has.
            return Outcome.exited(code if (code := exited.result()) >= 0 else 128 - code)
        if too_large.done():
            # Reported with exit code 0, so that a person who classifies by it is misled here as there.
            return Outcome(ABORTED, MEMORY_MESSAGE)
        await _terminate(process, exited)
        if stopped.done():
            return Outcome(CANCELLED, CANCELLED_MESSAGE)
        return Outcome(DEADLINE_EXCEEDED, TIMEOUT_MESSAGE)
    finally:
        for watch in watching:
            watch.cancel()


async def _terminate(process: asyncio.subprocess.Process, exited: "asyncio.Task[int]") -> None:
    """SIGTERM and time to react; the caller's SIGKILL follows."""
    _signal_group(process, signal.SIGTERM)
    await asyncio.wait({exited}, timeout=SECONDS_TO_TERMINATE)


async def _passed_memory(pid: int, limit_mib: int) -> None:
    """Return once the process's resident memory is over the limit; never where there is no /proc."""
    page = os.sysconf("SC_PAGE_SIZE")
    statm = Path(f"/proc/{pid}/statm")
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_MEMORY_LOOKS)
        try:
            resident_pages = int(statm.read_text().split()[1])
        except (OSError, IndexError):
            continue
        if resident_pages * page > limit_mib * MIB:
            return


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
