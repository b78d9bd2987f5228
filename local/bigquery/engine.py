"""DuckDB: relations over the Parquet files, statements over the relations, results as typed Arrow tables."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from local.bigquery.defaults import default_sql
from local.bigquery.errors import BigQueryError, invalid_query
from local.bigquery.schema import Column, Schema
from local.bigquery.types import arrow_type, duckdb_type, quoted
from local.bigquery.values import fitted

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    # Nothing is fetched from the internet: what the wheel carries is enough.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # Queries are small and many run side by side.
    "threads": "2",
    "memory_limit": "1GB",
}
# Stored as text, because Parquet or DuckDB has no equal type: cast when read.
CAST_WHEN_READ = ("JSON", "RECORD")
LONGEST_FRACTION = 18


class Session:
    """One query's own relations. Used by one thread, then closed."""

    def __init__(self, engine: "Engine") -> None:
        self._cursor = engine.cursor()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def add_view(self, name: str, sql: str) -> None:
        self.execute(f"CREATE TEMP VIEW {quoted(name)} AS {sql}")

    def add_rows(self, name: str, rows: pa.Table) -> None:
        self._cursor.register(name, rows)

    def add_table(self, name: str, schema: Schema, source: str | None) -> None:
        """A table that statements may change, filled from `source` if given."""
        columns = ", ".join(map(_declared, schema))
        self.execute(f"CREATE TEMP TABLE {quoted(name)} ({columns})")
        if source is not None:
            self.execute(f"INSERT INTO {quoted(name)} {source}")

    def execute(self, sql: str, parameters: dict[str, Any] | None = None) -> duckdb.DuckDBPyConnection:
        """Raises invalidQuery with what DuckDB says."""
        try:
            return self._cursor.execute(sql, parameters or {})
        except duckdb.Error as error:
            raise query_error(error) from error

    def result(self, sql: str, parameters: dict[str, Any]) -> tuple[Schema, pa.Table]:
        """A SELECT's rows, in the types that BigQuery would give them."""
        self.execute(sql, parameters)
        described = self._cursor.description or []
        schema = tuple(column_of(name, str(type_)) for name, type_, *_ in described)
        try:
            rows = self._cursor.to_arrow_table()
        except duckdb.Error as error:
            raise query_error(error) from error
        return schema, as_schema(rows, schema)

    def described(self, sql: str, parameters: dict[str, Any]) -> Schema:
        """A SELECT's columns, without running it."""
        self.execute(f"DESCRIBE {sql}", parameters)
        return tuple(column_of(row[0], row[1]) for row in self._cursor.fetchall())


class Engine:
    """The one in-memory DuckDB; sessions share its threads and its memory."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:", config=SETTINGS)
        # A setting of an extension, which connecting does not know yet.
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self._connection.cursor()

    def close(self) -> None:
        self._connection.close()


def _declared(column: Column) -> str:
    default = default_sql(column)
    return f"{quoted(column.name)} {duckdb_type(column)}" + (f" DEFAULT ({default})" if default else "")


def select_from_files(paths: Sequence[Path], schema: Schema) -> str:
    """SQL for a table's rows; a column that no file has yet is NULL."""
    columns = {name.lower() for path in paths for name in pq.read_schema(path).names}
    projections = ", ".join(f"{_read_column(column, columns)} AS {quoted(column.name)}" for column in schema)
    if not paths:
        return f"SELECT {projections} WHERE false"
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"SELECT {projections} FROM read_parquet([{listed}], union_by_name=true)"


def _read_column(column: Column, present: set[str]) -> str:
    if column.name.lower() not in present:
        return f"CAST(NULL AS {duckdb_type(column)})"
    if column.type == "BIGNUMERIC" and column.mode != "REPEATED":
        return _read_bignumeric(quoted(column.name))
    if column.type in (*CAST_WHEN_READ, "BIGNUMERIC"):
        return f"CAST({quoted(column.name)} AS {duckdb_type(column)})"
    return quoted(column.name)


def _read_bignumeric(name: str) -> str:
    """DuckDB would round what is too fine for it: a query fails instead."""
    fraction = f"length(regexp_extract({name}, '\\.(\\d*?)0*$', 1))"
    message = f"BIGNUMERIC with more than {LONGEST_FRACTION} digits after the point is not supported here"
    value = f"CAST({name} AS {duckdb_type(Column('', 'BIGNUMERIC'))})"
    return f"CASE WHEN {fraction} > {LONGEST_FRACTION} THEN error('{message}') ELSE {value} END"


def query_error(error: duckdb.Error) -> BigQueryError:
    """DuckDB's message without its pointer into a text that the user has not written."""
    message = str(error).split("\n\nLINE ")[0].strip()
    found = re.match(r'Binder Error: Referenced column "([^"]+)" not found', message)
    return invalid_query(f"Unrecognized name: {found[1]}" if found else message)


INTEGERS = frozenset(
    [
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
        "NULL",
        '"NULL"',
    ]
)
SCALARS = {
    "DOUBLE": "FLOAT",
    "FLOAT": "FLOAT",
    "BOOLEAN": "BOOLEAN",
    "BLOB": "BYTES",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP": "DATETIME",
    "TIMESTAMP_S": "DATETIME",
    "TIMESTAMP_MS": "DATETIME",
    "TIMESTAMP_NS": "DATETIME",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "JSON": "JSON",
    "INTERVAL": "INTERVAL",
}


def column_of(name: str, duckdb_name: str) -> Column:
    """The BigQuery column for a result of DuckDB's type, as DuckDB writes it."""
    if duckdb_name.endswith("[]"):
        inner = column_of(name, duckdb_name[:-2])
        return Column(name, inner.type, "REPEATED", inner.fields)
    if duckdb_name.startswith("STRUCT("):
        return Column(name, "RECORD", fields=tuple(_struct_fields(duckdb_name)))
    if duckdb_name in INTEGERS:
        return Column(name, "INTEGER")
    if duckdb_name.startswith("DECIMAL("):
        precision, scale = map(int, duckdb_name[8:-1].split(","))
        return Column(name, "NUMERIC" if scale <= 9 and precision - scale <= 29 else "BIGNUMERIC")
    return Column(name, SCALARS.get(duckdb_name, "STRING"))


def _struct_fields(duckdb_name: str) -> list[Column]:
    children = duckdb.sqltype(duckdb_name).children
    return [column_of(name, str(type_)) for name, type_ in children]


def as_schema(rows: pa.Table, schema: Schema) -> pa.Table:
    """DuckDB's Arrow types in those of our files."""
    columns = []
    for position, column in enumerate(schema):
        values = rows.column(position).combine_chunks()
        if column.type == "INTERVAL":
            values = pa.array([None if v is None else interval_text(v) for v in values.to_pylist()], pa.string())
        if isinstance(values.type, pa.DictionaryType):
            values = values.dictionary_decode()
        columns.append(fitted(values, column))
    return pa.Table.from_arrays(
        columns, schema=pa.schema([pa.field(column.name, arrow_type(column)) for column in schema])
    )


def interval_text(interval: Any) -> str:
    """The canonical form `Y-M D H:M:S[.F]`."""
    months, micros = interval.months, interval.nanoseconds // 1000
    sign, time_sign = "-" if months < 0 else "", "-" if micros < 0 else ""
    years, months = divmod(abs(months), 12)
    seconds, fraction = divmod(abs(micros), 1_000_000)
    clock = f"{seconds // 3600}:{seconds // 60 % 60}:{seconds % 60}"
    return f"{sign}{years}-{months} {interval.days} {time_sign}{clock}" + (f".{fraction:06d}" if fraction else "")
