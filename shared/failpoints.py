"""Named places in the product at which the fault tests make a process die, sleep or fail. Unarmed, they do nothing.

`arm` names a folder. A process that comes to `failpoint("launch.after_claim")` looks for the file of that name in
it; who takes the file away, and nobody else, does what it says: `exit` (kill -9), `sleep 2.5` (seconds), `raise`.
So a fault happens once, whichever process comes first, and again when the file is put there again.
"""

import os
import signal
import time
from pathlib import Path

_folder: Path | None = None


def arm(folder: str | None) -> None:
    """Looks for files in this folder from now on; None looks for none."""
    global _folder  # noqa: PLW0603  (set once, when the process begins)
    _folder = Path(folder) if folder else None


def failpoint(name: str) -> None:
    """Does what a file of this name asks for, if the process is armed and there is one."""
    if _folder is not None:
        _act(_folder / name)


def _act(wanted: Path) -> None:
    taken = wanted.with_name(f"{wanted.name}.taken.{os.getpid()}.{time.monotonic_ns()}")
    try:
        wanted.rename(taken)
    except FileNotFoundError:
        return
    match taken.read_text().split():
        case ["exit"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case ["sleep", seconds]:
            time.sleep(float(seconds))
        case ["raise"]:
            raise RuntimeError(f"failpoint {wanted.name}")
