"""Everything that the server holds, opened together: catalogue, files, jobs, and the threads that compute."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from local.bigquery.catalog import Catalog
from local.bigquery.engine import Engine
from local.bigquery.faults import Faults
from local.bigquery.files import Files
from local.bigquery.jobs import Jobs
from local.bigquery.names import DatasetName, TableName
from local.bigquery.store import Store

# Parquet, DuckDB and zstd release the interpreter's lock; more threads than cores only wait.
THREADS = 4

Result = TypeVar("Result")


class Warehouse:
    """The catalogue is read and written on the event loop's thread alone, so it needs no locks; what computes runs
    in threads over immutable files. A table's lock is held from reading its state to committing the next one."""

    def __init__(self, directory: Path, load_seconds: float) -> None:
        self.load_seconds = load_seconds
        self.faults = Faults()
        self.store = Store(directory)
        self.files = Files(directory / "files")
        self.uploads = Files(directory / "uploads")
        self.catalog = Catalog(self.store, self.files)
        self.jobs = Jobs(self.store)
        self.engine = Engine()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bigquery")
        self._locks: dict[TableName, asyncio.Lock] = {}
        self._holders: dict[TableName, int] = {}

    def recover(self) -> None:
        """At start: forget what expired, and remove files that nothing refers to."""
        self.catalog.drop_expired()
        self.files.keep_only(self.catalog.file_names())
        self.uploads.keep_only(self.jobs.upload_names() | {row[0] for row in self.store.rows("SELECT id FROM uploads")})

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.engine.close()
        self.store.close()

    async def compute(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread; it must not touch the catalogue."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @contextlib.asynccontextmanager
    async def changing_all(self, dataset: DatasetName) -> AsyncIterator[None]:
        """Nobody else changes any table of the dataset meanwhile."""
        async with contextlib.AsyncExitStack() as stack:
            for table in self.catalog.tables(dataset):
                await stack.enter_async_context(self.changing(table.name))
            yield

    @contextlib.asynccontextmanager
    async def changing(self, table: TableName) -> AsyncIterator[None]:
        """The table's next state is made by one at a time."""
        name = table.whole
        lock = self._locks.setdefault(name, asyncio.Lock())
        self._holders[name] = self._holders.get(name, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._holders[name] -= 1
            if not self._holders[name]:
                del self._holders[name], self._locks[name]
