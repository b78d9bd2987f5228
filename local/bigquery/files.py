"""The Parquet files that hold the rows: each is written once, then only read, then dropped."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class DataFile(NamedTuple):
    """A part of a table: its rows, their logical bytes, and the partition that it was loaded into, if any."""

    name: str
    rows: int
    bytes: int
    partition: str = ""


class Files:
    """The folder of Parquet files. A file that a table dropped stays until its last reader has finished."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._directory.mkdir(parents=True, exist_ok=True)
        self._readers: Counter[str] = Counter()
        self._dropped: set[str] = set()

    def path(self, name: str) -> Path:
        return self._directory / name

    def new(self, suffix: str = ".parquet") -> Path:
        return self._directory / f"{uuid.uuid4().hex}{suffix}"

    @contextmanager
    def reading(self, files: Iterable[DataFile]) -> Iterator[list[Path]]:
        """The files' paths, which exist until the block ends."""
        names = [file.name for file in files]
        self._readers.update(names)
        try:
            yield [self.path(name) for name in names]
        finally:
            self._readers.subtract(names)
            self._remove_unread(names)

    def drop(self, names: Iterable[str]) -> None:
        """Nothing refers to these any more."""
        names = list(names)
        self._dropped.update(names)
        self._remove_unread(names)

    def keep_only(self, names: set[str]) -> None:
        """At start: remove what a killed server wrote and never committed."""
        for path in self._directory.iterdir():
            if path.name not in names:
                path.unlink()

    def _remove_unread(self, names: Iterable[str]) -> None:
        for name in names:
            if self._readers[name] <= 0:
                del self._readers[name]
                if name in self._dropped:
                    self._dropped.discard(name)
                    self.path(name).unlink(missing_ok=True)
