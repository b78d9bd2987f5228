"""A tab with every cell as text, as the sheet shows it: what `schema_handling` string loads.

It is cell for cell what `values.get` tells of a whole tab: `""` for a blank cell that another one follows in its row,
nothing (NULL) for those that the API leaves out at a row's end, a row of NULLs for a blank row between others, an
error as its text. So it asks for rows as they are, rather than making them of columns.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import zip_longest

import pyarrow as pa

from job.columns.infer import Chunk
from job.columns.kinds import Kind
from job.columns.plan import ColumnPlan
from job.columns.standard_names import standard_names
from job.columns.table import Block, Table, TableBuilder
from job.reading.ahead import ahead
from job.reading.sheet import FIRST_BLOCK_CELLS, Lines, SheetReader
from job.reading.tab import Tab


def read_shown(reader: SheetReader, tab: Tab, subject: str) -> Table:
    """The tab as a table of STRINGs. Raises `HeaderRefused`, and what `SheetReader` raises."""
    with closing(_blocks(reader, tab)) as blocks:
        _, (header, *lines) = next(blocks)
        plans = _plans(header, tab, subject)
        builder = TableBuilder(plans)
        following = _gather(tab.header_row + 1, lines, plans, builder, tab.header_row + 1)
        for first, lines in blocks:
            following = _gather(first, lines, plans, builder, following)
    return builder.finish(lambda _: {})


def _blocks(reader: SheetReader, tab: Tab) -> Generator[tuple[int, Lines]]:
    blocks = reader.shown(tab)
    return ahead(blocks) if tab.height * tab.width > FIRST_BLOCK_CELLS else blocks


def _plans(header: Sequence[str], tab: Tab, subject: str) -> list[ColumnPlan]:
    headers = [*header, *[""] * (tab.columns - len(header))]
    names = standard_names(headers, tab.title, tab.header_row, subject)
    return [ColumnPlan(index, name, headers[index]) for index, name in enumerate(names)]


def _gather(first: int, lines: Lines, plans: Sequence[ColumnPlan], builder: TableBuilder, following: int) -> int:
    """Takes a block's rows, and gives the row after the last that is taken.

    `following` is that of the blocks before: what lies between is known to be blank only now, when a row comes.
    """
    if not lines:
        return following
    if first > following:
        blank = first - following
        chunks = [Chunk(Kind.TEXT, pa.nulls(blank, pa.string()), empty=not plan.header) for plan in plans]
        builder.add(Block(following, blank, None), chunks)
    columns = list(zip_longest(*lines))
    builder.add(Block(first, len(lines), None), [_chunk(plan, columns, len(lines)) for plan in plans])
    return first + len(lines)


def _chunk(plan: ColumnPlan, columns: Sequence[tuple[str | None, ...]], rows: int) -> Chunk:
    cells = columns[plan.index] if plan.index < len(columns) else (None,) * rows
    if not plan.header:
        # Whether it is a column at all is known only at the end: until then a blank cell is none of its values.
        cells = tuple(cell or None for cell in cells)
    return Chunk(Kind.TEXT, pa.array(cells, pa.string()), empty=not plan.header and not any(cells))
