"""Reads a grid as the job reads a tab, and gives back what would be loaded."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from job.reading.read import Reading, read_table
from shared.config import Column, Config
from tests.unit.job.grid import GridReader, Rows

URL = "https://docs.google.com/spreadsheets/d/1AbcDefGhiJkl/edit"


def config(*custom: Column) -> Config:
    return Config(
        name="sales",
        google_sheet_url=URL,
        google_cloud_project_id="local-project",
        bigquery_dataset_id="sheets",
        bigquery_table_id="sales",
        schema_handling="custom" if custom else "auto_detect",
        custom_schema=custom,
    )


def read(rows: Rows, *custom: Column, **grid: Any) -> Reading:
    return read_table(GridReader(rows, **grid), config(*custom), 'config "sales"')


def read_as_text(rows: Rows, **grid: Any) -> Reading:
    """With `schema_handling` string."""
    asked = msgspec.structs.replace(config(), schema_handling="string")
    return read_table(GridReader(rows, **grid), asked, 'config "sales"')


def linked(cell: str) -> str:
    """A cell of the tab (`Sheet1!C17`) as messages name it, with the address that opens it."""
    return f"{cell} ({URL}#gid=0&range={cell.rpartition('!')[2]})"


def loaded(reading: Reading) -> list[dict[str, Any]]:
    """The rows in the file that BigQuery would get."""
    return pq.read_table(pa.BufferReader(reading.table.parquet)).to_pylist()


def types(reading: Reading) -> dict[str, str]:
    return {column.name: column.type for column in reading.table.columns}


def column(cells: Sequence[Any], **grid: Any) -> tuple[str, list[Any]]:
    """The type and the values of a tab's only column, headed `it`, beside one that keeps blank rows."""
    reading = read([["it", "row"], *([cell, number] for number, cell in enumerate(cells))], **grid)
    return types(reading)["it"], [row["it"] for row in loaded(reading)]
