"""The folder that one running system keeps its state in."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def claimed_folder(parent: Path, name: str) -> Iterator[Path]:
    """An empty folder `parent/name`, or `name-2`, `name-3`, … while other systems hold those.

    The claim is a lock that the kernel drops with the process, however it ends; what a former holder left
    behind is removed at the next claim, so that its logs can be read until then.
    """
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}-{number}")
        with (parent / f".{folder.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                number += 1
                continue
            if folder.exists():
                shutil.rmtree(folder)
            # Others may pass through, to what is theirs, but not list.
            folder.mkdir(mode=0o711)
            yield folder
            return
