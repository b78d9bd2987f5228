"""Which component is at the other end of a connection: by the kernel's table of sockets, and what the process is."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from tests.local.system.processes import descendants_of

NOBODY = ""
# Not ours: what it may do, its owners granted it.
OLDER_SERVICE = "older service"
_COMMAND = re.compile(rb"job_(helper|orchestrator)\.py")
_MIGRATION = re.compile(rb"/?migrate\.py")
_FUNCTION = re.compile(rb"--target\0(\w+)")


class Callers:
    """Told by the two ports of a call; processes are remembered, since most call again and again."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def name(self, port: int, called: int) -> str:
        """A function's name, `job`, `commands`, `migration`, `emulator`, `older service`, `test` for this process, or
        a command line.

        `NOBODY` is a process that ended meanwhile, as those do that are killed on purpose.
        """
        inodes = _inodes(port, called)
        for pid in self._candidates():
            if inodes & set(_sockets(pid)):
                with contextlib.suppress(OSError):
                    return self._names.setdefault(pid, _name(pid))
        return NOBODY

    def _candidates(self) -> Iterator[int]:
        """The newest known first; whom this process started since is looked for only where it is none of them."""
        yield from list(reversed(self._names))
        yield os.getpid()
        yield from sorted(descendants_of(os.getpid()) - self._names.keys(), reverse=True)


def _inodes(port: int, called: int) -> set[str]:
    """Of the sockets from this port to that one: Linux's /proc/net/tcp (proc(5)); Java uses tcp6."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    ends = (f":{port:04X}", f":{called:04X}")
    return {row[9] for row in rows if (row[1][-5:], row[2][-5:]) == ends and row[9] != "0"}


def _sockets(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):  # it has ended
        for entry in list(Path(f"/proc/{pid}/fd").iterdir()):
            with contextlib.suppress(OSError):  # closed meanwhile, as this listing's own
                link = str(entry.readlink())
                if link.startswith("socket:["):
                    yield link[8:-1]


def _name(pid: int) -> str:
    if pid == os.getpid():
        return "test"
    command, environment = Path(f"/proc/{pid}/cmdline").read_bytes(), Path(f"/proc/{pid}/environ").read_bytes()
    if b"\0CLOUD_RUN_EXECUTION=" in b"\0" + environment:
        return "job"
    if function := _FUNCTION.search(command):
        return function[1].decode()
    if _COMMAND.search(command):
        return "commands"
    if _MIGRATION.search(command):
        return "migration"
    if b"pubsub-emulator" in command:
        return "emulator"
    if b"-m\0local.service\0" in command:
        return OLDER_SERVICE
    return command.replace(b"\0", b" ").decode(errors="replace")
