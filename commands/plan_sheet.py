"""A plan's first part: what the job's own reading makes of the sheet, with values for the person who asked for them."""

import base64
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from commands.plan_cells import NamedCell, named_cells
from job.columns.names import name_of
from job.columns.table import Table
from job.errors import UnexpectedFailure
from job.reading.calls import Calls
from job.reading.read import Reading, read_table
from job.reading.refusals import Subject
from job.reading.sheet import SheetReader
from job.reading.tab import Tab
from shared.clients import Clients
from shared.config import Column, Config
from shared.errors import SyncError

# A person waits, but the quota's minute may have to come round: a run would wait three times as long.
_WAIT_BUDGET = 60.0
_SAMPLES = 3
# Rows at a time: enough for Arrow to be fast, few enough for any memory.
_ROWS = 20_000
# A column of one repeated value need not be searched to its end for others.
_SEARCHED = 1_000


class PlannedColumn(msgspec.Struct, frozen=True):
    """A column as a run would load it. `filled` counts the cells that are not blank; `samples` are different values."""

    header: str
    name: str
    type: str
    mode: str
    filled: int
    samples: tuple[str, ...]


class SheetPlan(msgspec.Struct, frozen=True):
    """What a run would read. `tab` is there if it was found, `rows` and `columns` if the tab could be loaded.

    `notices` are the run's warnings and what became of odd headers; `cells` are those that they, or the error, name.
    """

    requests: int
    tab: Tab | None = None
    rows: int | None = None
    columns: tuple[PlannedColumn, ...] = ()
    notices: tuple[str, ...] = ()
    cells: tuple[NamedCell, ...] = ()


class _TellingReader(SheetReader):
    """Keeps the tab that it found."""

    found: Tab | None = None

    def tab(self) -> Tab:
        self.found = super().tab()
        return self.found


def plan_sheet(
    config: Config, clients: Clients, reads_per_minute: int, standing: Sequence[Column] = ()
) -> tuple[SheetPlan, Table | None, SyncError | None]:
    """Reads the sheet as the job does, and tells what it found, the table that it is, or the error instead.

    `standing` are columns that keep the type which they have in the destination.
    """
    subject = Subject.of(config, clients.identity)
    calls = Calls(subject, reads_per_minute, wait_budget=_WAIT_BUDGET)
    sheets = clients.sheets()
    reader = _TellingReader(calls, sheets, clients.drive(), config)
    reading, error = _read(reader, config, subject.config, standing)
    columns = tuple(_columns(reading.table)) if reading else ()
    # With `string`, names are made by another rule, which takes headers as they stand or not at all.
    odd = _odd_headers(columns) if config.schema_handling != "string" else ()
    notices = (*(reading.warnings if reading else ()), *odd)
    cells = (
        named_cells([error.what] if error else notices, config.spreadsheet, reader.found, calls, sheets)
        if reader.found
        else []
    )
    plan = SheetPlan(
        requests=calls.count,
        tab=reader.found,
        rows=reading.table.rows if reading else None,
        columns=columns,
        notices=notices,
        cells=tuple(cells),
    )
    return plan, reading.table if reading else None, error


def _read(
    reader: SheetReader, config: Config, subject: str, standing: Sequence[Column]
) -> tuple[Reading | None, SyncError | None]:
    try:
        return read_table(reader, config, subject, standing), None
    except SyncError as error:
        return None, error
    except Exception as problem:  # as the job tells it
        return None, UnexpectedFailure.of(problem)


def _columns(table: Table) -> Iterator[PlannedColumn]:
    filled = [0] * len(table.columns)
    samples: list[dict[str, None]] = [{} for _ in table.columns]
    for batch in pq.ParquetFile(pa.BufferReader(table.parquet)).iter_batches(_ROWS):
        for number, values in enumerate(batch.columns):
            present = _present(values)
            filled[number] += len(present)
            if len(samples[number]) < _SAMPLES:
                found = pc.unique(present.slice(0, _SEARCHED)).slice(0, _SAMPLES)
                samples[number] |= dict.fromkeys(map(_text, found.to_pylist()))
    for column, count, texts in zip(table.columns, filled, samples, strict=True):
        yield PlannedColumn(
            header=column.header,
            name=column.name,
            type=column.sql_type,
            mode=column.mode,
            filled=count,
            samples=tuple(texts)[:_SAMPLES],
        )


def _present(values: pa.Array) -> pa.Array:
    present = values.drop_null()
    return present.filter(pc.not_equal(present, "")) if pa.types.is_string(present.type) else present


def _text(value: Any) -> str:
    """A value as BigQuery's console shows it, nearly."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case Decimal():
            return f"{value.normalize():f}"
        case _:
            return str(value)


def _odd_headers(columns: Sequence[PlannedColumn]) -> Iterator[str]:
    """What became of headers that could not give their columns the name that people expect."""
    names = {column.name.casefold() for column in columns}
    for column in columns:
        natural = name_of(column.header).casefold()
        if not natural:
            yield f"a header without letters and digits: its column is {column.name}"
        elif natural != column.name.casefold() and natural in names:
            yield f'the name that the header "{column.header}" makes is taken: its column is {column.name}'
