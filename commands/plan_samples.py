"""What is in the columns that a plan tells, for the person at this terminal alone: values are kept nowhere."""

import base64
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from commands.plan_cells import ShownCell
from job.columns.table import Table
from job.planning.columns import present
from job.reading.tab import Tab
from shared.plan import PlannedColumn

_SAMPLES = 3
# A column of one repeated value need not be searched to its end for others.
_SEARCHED = 1_000


class SampledColumn(msgspec.Struct, frozen=True):
    """A column of a plan; `samples` are different values of it."""

    header: str
    name: str
    type: str
    mode: str
    filled: int
    samples: tuple[str, ...]


class SheetPlan(msgspec.Struct, frozen=True):
    """What a run would read. `tab` is there if it was found, `rows` and `columns` if the tab could be loaded.

    `notices` are the plan's warnings; `cells` are those that they, or the error, name.
    """

    requests: int
    tab: Tab | None
    rows: int | None
    columns: tuple[SampledColumn, ...]
    notices: tuple[str, ...]
    cells: tuple[ShownCell, ...]


def sampled(columns: tuple[PlannedColumn, ...], table: Table) -> tuple[SampledColumn, ...]:
    """The columns of a plan with some of their values in `table`."""
    samples: list[dict[str, None]] = [{} for _ in columns]
    file = pq.ParquetFile(pa.BufferReader(table.parquet))
    for group in range(file.num_row_groups):
        wanted = [number for number, found in enumerate(samples) if len(found) < _SAMPLES]
        if not wanted:
            break
        names = [table.columns[number].name for number in wanted]
        for number, values in zip(wanted, file.read_row_group(group, columns=names).columns, strict=True):
            found = pc.unique(present(values).slice(0, _SEARCHED)).slice(0, _SAMPLES)
            samples[number] |= dict.fromkeys(map(_text, found.to_pylist()))
    return tuple(
        SampledColumn(**msgspec.structs.asdict(column), samples=tuple(texts)[:_SAMPLES])
        for column, texts in zip(columns, samples, strict=True)
    )


def _text(value: Any) -> str:
    """A value as BigQuery's console shows it, nearly."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case Decimal():
            return f"{value.normalize():f}"
        case _:
            return str(value)
