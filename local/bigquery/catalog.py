"""Datasets and tables: what is known of each, and where a table's rows are."""

import base64
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from local.bigquery.clock import now_ms
from local.bigquery.errors import already_exists, not_found
from local.bigquery.files import DataFile, Files
from local.bigquery.names import DatasetName, TableName
from local.bigquery.schema import Schema, schema_from_api
from local.bigquery.store import Store, from_json, to_json


@dataclass(frozen=True)
class Dataset:
    name: DatasetName
    resource: dict[str, Any]

    @property
    def location(self) -> str:
        return str(self.resource["location"])


@dataclass(frozen=True)
class Table:
    """A table as of one instant: files are never changed, so a snapshot stays readable."""

    name: TableName
    resource: dict[str, Any]
    files: tuple[DataFile, ...] = ()

    @cached_property
    def schema(self) -> Schema:
        return schema_from_api(self.resource.get("schema"))

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def is_view(self) -> bool:
        return "view" in self.resource

    @property
    def partitioning(self) -> dict[str, Any] | None:
        return self.resource.get("timePartitioning")

    def changed(self, **attributes: Any) -> "Table":
        """The same table with other attributes; None removes one."""
        resource = {**self.resource, **attributes}
        return replace(self, resource={key: value for key, value in resource.items() if value is not None})


def new_etag() -> str:
    return base64.b64encode(uuid.uuid4().bytes).decode()


class Catalog:
    """Reads and writes single datasets and tables; callers hold the table's lock and the transaction."""

    def __init__(self, store: Store, files: Files) -> None:
        self._store = store
        self._files = files

    # Datasets

    def dataset(self, name: DatasetName) -> Dataset:
        """Raises notFound."""
        rows = self._store.rows("SELECT resource FROM datasets WHERE project = ? AND dataset = ?", *name)
        if not rows:
            raise not_found("Dataset", name)
        return Dataset(name, from_json(rows[0][0]))

    def datasets(self, project: str) -> list[Dataset]:
        rows = self._store.rows("SELECT dataset, resource FROM datasets WHERE project = ? ORDER BY dataset", project)
        return [Dataset(DatasetName(project, dataset), from_json(resource)) for dataset, resource in rows]

    def create_dataset(self, name: DatasetName, resource: dict[str, Any]) -> Dataset:
        """Raises duplicate."""
        if self._store.rows("SELECT 1 FROM datasets WHERE project = ? AND dataset = ?", *name):
            raise already_exists("Dataset", name)
        return self.put_dataset(Dataset(name, {"creationTime": str(now_ms()), **resource}))

    def put_dataset(self, dataset: Dataset) -> Dataset:
        resource = {**dataset.resource, "etag": new_etag(), "lastModifiedTime": str(now_ms())}
        self._store.run("REPLACE INTO datasets VALUES (?, ?, ?)", *dataset.name, to_json(resource))
        return Dataset(dataset.name, resource)

    def drop_dataset(self, name: DatasetName) -> None:
        for table in self.tables(name):
            self.drop_table(table)
        self._store.run("DELETE FROM datasets WHERE project = ? AND dataset = ?", *name)

    # Tables

    def table(self, name: TableName) -> Table:
        """Raises notFound, also of a table whose expirationTime has passed."""
        table = self.find_table(name)
        if table is None:
            self.dataset(name.in_dataset)
            raise not_found("Table", name)
        return table

    def find_table(self, name: TableName) -> Table | None:
        rows = self._store.rows(
            "SELECT resource, files FROM tables WHERE project = ? AND dataset = ? AND table_id = ?", *name[:3]
        )
        if not rows:
            return None
        table = _table(name.whole, *rows[0])
        return None if self._expired(table) else table

    def tables(self, dataset: DatasetName) -> list[Table]:
        rows = self._store.rows(
            "SELECT table_id, resource, files FROM tables WHERE project = ? AND dataset = ? ORDER BY table_id",
            *dataset,
        )
        found = (_table(TableName(*dataset, table_id), resource, files) for table_id, resource, files in rows)
        return [table for table in found if not self._expired(table)]

    def put_table(self, table: Table) -> Table:
        """Write the table's new state. The files that it no longer has are dropped."""
        old = self.find_table(table.name)
        created = old.resource["creationTime"] if old else str(now_ms())
        table = table.changed(
            etag=new_etag(),
            creationTime=created,
            lastModifiedTime=str(now_ms()),
            id=str(table.name),
            kind="bigquery#table",
            type="VIEW" if table.is_view else "TABLE",
            tableReference=table.name.as_reference(),
            location=self.dataset(table.name.in_dataset).location,
        )
        self._store.run(
            "REPLACE INTO tables VALUES (?, ?, ?, ?, ?)",
            *table.name[:3],
            to_json(table.resource),
            to_json(table.files),
        )
        if old:
            self._drop_files(set(old.files) - set(table.files))
        return table

    def drop_table(self, table: Table) -> None:
        self._store.run("DELETE FROM tables WHERE project = ? AND dataset = ? AND table_id = ?", *table.name[:3])
        self._drop_files(table.files)

    def drop_expired(self) -> None:
        """Remove the tables whose expirationTime has passed, with their rows."""
        expired = (
            "SELECT project, dataset, table_id, resource, files FROM tables"
            " WHERE CAST(json_extract(resource, '$.expirationTime') AS INTEGER) < ?"
        )
        for project, dataset, table_id, resource, files in self._store.rows(expired, now_ms()):
            self.drop_table(_table(TableName(project, dataset, table_id), resource, files))

    def file_names(self) -> set[str]:
        """Every file that some table has."""
        found: Sequence[tuple[str]] = self._store.rows("SELECT files FROM tables")
        return {file[0] for (files,) in found for file in from_json(files)}

    def _drop_files(self, files: Iterable[DataFile]) -> None:
        dropped = [file.name for file in files]
        self._store.after_commit(lambda: self._files.drop(dropped))

    @staticmethod
    def _expired(table: Table) -> bool:
        expiration = table.resource.get("expirationTime")
        return expiration is not None and int(expiration) < now_ms()


def _table(name: TableName, resource: str, files: str) -> Table:
    return Table(name, from_json(resource), tuple(DataFile(*file) for file in from_json(files)))
