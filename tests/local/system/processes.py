"""Processes as the kernel lists them, for tests that look for what was left running."""

import re
import time
from collections.abc import Callable
from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be reaped (a zombie) does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def processes_of(folder: Path) -> set[int]:
    """All processes that were started for the system in `folder`: it is in what they were given."""
    return {int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _mentions(entry, str(folder))}


def descendants_of(pid: int) -> set[int]:
    """All processes that a process started, and those that they started."""
    parents = {int(entry.name): _parent(entry) for entry in Path("/proc").glob("[0-9]*")}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def wait_for(condition: Callable[[], object], seconds: float = 10) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _mentions(process: Path, text: str) -> bool:
    try:
        told = (process / "cmdline").read_bytes() + b"\0" + (process / "environ").read_bytes()
        cwd = str((process / "cwd").readlink())
    except OSError:
        return False
    # `build/local` is not `build/local-2`, another system's.
    whole = re.escape(text) + r"(?![\w-])"
    return bool(re.search(whole.encode(), told) or re.match(whole, cwd))
