"""The SQLite file that holds what the server knows beside the rows: datasets, tables, jobs, uploads.

Only the event loop's thread touches it, so a transaction is never interleaved with another.
"""

import fcntl
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS datasets (
    project TEXT, dataset TEXT, resource TEXT NOT NULL,
    PRIMARY KEY (project, dataset)
);
CREATE TABLE IF NOT EXISTS tables (
    project TEXT, dataset TEXT, table_id TEXT, resource TEXT NOT NULL, files TEXT NOT NULL,
    PRIMARY KEY (project, dataset, table_id)
);
CREATE TABLE IF NOT EXISTS jobs (
    project TEXT, location TEXT, job_id TEXT, state TEXT NOT NULL, created_ms INTEGER NOT NULL,
    resource TEXT NOT NULL, upload TEXT,
    PRIMARY KEY (project, location, job_id)
);
CREATE INDEX IF NOT EXISTS jobs_newest_first ON jobs (project, created_ms DESC);
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, request TEXT NOT NULL
);
"""


class Store:
    """One connection, JSON in and out."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = (directory / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SystemExit(
                f"{directory} is in use by another local BigQuery server; choose another --data"
            ) from error
        self._connection = sqlite3.connect(directory / "catalog.sqlite", isolation_level=None)
        # A kill loses nothing under NORMAL, only a power cut may lose the newest commits.
        self._after_commit: list[Callable[[], None]] = []
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)

    def close(self) -> None:
        self._connection.close()
        self._lock.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside take effect together, or none does."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            self._after_commit.clear()
            raise
        self._connection.execute("COMMIT")
        actions, self._after_commit = self._after_commit, []
        for action in actions:
            action()

    def after_commit(self, action: Callable[[], None]) -> None:
        """What must not happen before the catalogue says so on disk: removing files that it referred to."""
        if self._connection.in_transaction:
            self._after_commit.append(action)
        else:
            action()

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, parameters).fetchall()

    def run(self, statement: str, *parameters: Any) -> int:
        """Execute; the answer is how many rows it changed."""
        return self._connection.execute(statement, parameters).rowcount


def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> Any:
    return json.loads(text)
