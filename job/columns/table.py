"""A table of one tab, gathered block by block as compressed Parquet: memory holds one block and the compressed rest."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from job.columns.content_hash import ColumnHash, content_hash
from job.columns.infer import Chunk, recast, stands
from job.columns.kinds import Kind, arrow_type, bigquery_type, is_loadable, widen
from job.columns.plan import ColumnPlan
from shared.column import written_type


class LoadColumn(msgspec.Struct, frozen=True):
    """A column as the load describes it to BigQuery.

    `index` counts the tab's columns from 0, `header` is the sheet's text, and `blank` tells that no cell has a value
    and nobody asked for the type. Only columns of a table that is there have `inner`, what else the API tells of a type
    that no sheet fills (RECORD), and `policy_tags`, with which people protect a column. The other fields are those of
    `shared.column.Column`.
    """

    name: str
    type: str
    mode: str
    description: str
    index: int | None = None
    header: str = ""
    blank: bool = False
    precision: int | None = None
    scale: int | None = None
    max_length: int | None = None
    default_value_expression: str | None = None
    inner: Mapping[str, Any] = {}
    policy_tags: tuple[str, ...] = ()

    @property
    def can_be_filled(self) -> bool:
        """Whether a load of a sheet can fill such a column: a table may have others."""
        return is_loadable(self.type) and self.mode != "REPEATED"

    @property
    def sql_type(self) -> str:
        """The type with its parameters: `NUMERIC(10, 2)`."""
        return written_type(self.type, self.precision, self.scale, self.max_length)

    @property
    def told(self) -> str:
        """Type and mode, as `INT64 NULLABLE`."""
        return f"{self.sql_type} {self.mode}"


def named(columns: Iterable[LoadColumn], name: str) -> LoadColumn | None:
    """The column that a config names: by the header's exact text, or by its own name; None if there is none."""
    found = [column for column in columns if column.header == name]
    found += [column for column in columns if column.name.casefold() == name.casefold()]
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Block:
    """Where a gathered block lies in the tab, and which of its rows are kept (None: all)."""

    first_row: int
    rows: int
    kept: pa.BooleanArray | None


class Table(msgspec.Struct, frozen=True):
    """A tab's rows as one Parquet file, and the schema that it is loaded with.

    `blocks` tell where in the tab the rows are; `content_hash` is of names, types, modes and values, in their order:
    56 hexadecimal digits.
    """

    columns: tuple[LoadColumn, ...]
    rows: int
    parquet: pa.Buffer
    blocks: tuple[Block, ...] = ()
    content_hash: str = ""

    def sheet_rows(self, positions: Iterable[int]) -> Iterator[int]:
        """The tab's numbers of some of the table's rows, which are counted from 0; both ascend."""
        wanted, passed = deque(positions), 0
        for block in self.blocks:
            there, passed = passed, passed + _rows_kept(block)
            if wanted and wanted[0] < passed:
                rows = _rows_in_tab(block)
            while wanted and wanted[0] < passed:
                yield rows[wanted.popleft() - there]


@dataclass(slots=True)
class _Segment:
    """Consecutive blocks that agree on columns and kinds: one Parquet file with a row group for each."""

    kinds: Mapping[int, Kind]
    sink: pa.BufferOutputStream
    writer: pq.ParquetWriter
    blocks: list[Block]


class TableBuilder:
    """Gathers the chunks of a tab's columns. A block that widens a column starts a new segment; `finish` joins them."""

    def __init__(self, plans: Sequence[ColumnPlan]) -> None:
        self._plans = plans
        self._kinds = [plan.kind or Kind.BLANK for plan in plans]
        self._filled = [bool(plan.header.strip()) for plan in plans]
        self._segments: list[_Segment] = []
        self._hashes = [ColumnHash() for _ in plans]
        # Columns of which a later block makes the rows others than they were: hashed again when they are written again.
        self._outdated: set[int] = set()
        self.rows = 0

    def add(self, block: Block, chunks: Sequence[Chunk]) -> None:
        """Takes one block that has rows to keep; `chunks` are all the tab's columns, from left to right."""
        for index, chunk in enumerate(chunks):
            self._widen(index, chunk.kind)
            self._filled[index] |= not chunk.empty
        kinds = self._present()
        if not self._segments or self._segments[-1].kinds != kinds:
            self._close_last()
            self._segments.append(self._open(kinds))
        segment = self._segments[-1]
        arrays = [
            _filtered(recast(chunk.array, chunk.kind, kind), block.kept)
            for chunk, kind in zip(chunks, self._kinds, strict=True)
        ]
        self._write(segment, block, [arrays[index] for index in kinds])
        for index, array in enumerate(arrays):
            if index not in self._outdated:
                self._hashes[index].add(array)
        self.rows += _rows_kept(block)

    def _widen(self, index: int, kind: Kind) -> None:
        before = self._kinds[index]
        wider = self._kinds[index] = widen(before, kind)
        if wider is Kind.MIXED or (before is not Kind.BLANK and not stands(before, wider)):
            self._outdated.add(index)

    def mixed(self) -> list[int]:
        """The columns whose displayed text has to be read."""
        return [index for index, kind in self._present().items() if kind is Kind.MIXED]

    def finish(self, displayed: Callable[[Block], Mapping[int, pa.Array]]) -> Table:
        """The table. `displayed` gives all rows of a block's MIXED columns as the sheet shows them (NULL: blank)."""
        self._close_last()
        kinds = self._present()
        if len(self._segments) == 1 and not self.mixed():
            return self._table(kinds, self._segments[0].sink.getvalue())
        joined = self._open(kinds, final=True)
        for index in self._outdated:
            self._hashes[index] = ColumnHash()
        for segment in self._segments:
            file = pq.ParquetFile(pa.BufferReader(segment.sink.getvalue()))
            for number, block in enumerate(segment.blocks):
                shown = displayed(block) if self.mixed() else {}
                stored = dict(zip(segment.kinds, file.read_row_group(number).columns, strict=True))
                arrays = [
                    self._as_shown(index, shown[index], block)
                    if kind is Kind.MIXED
                    else _widened(stored.get(index), segment.kinds.get(index), kind, _rows_kept(block))
                    for index, kind in kinds.items()
                ]
                self._write(joined, block, arrays)
                for index, array in zip(kinds, arrays, strict=True):
                    if index in self._outdated:
                        self._hashes[index].add(array)
        joined.writer.close()
        return self._table(kinds, joined.sink.getvalue())

    def _as_shown(self, index: int, shown: pa.Array, block: Block) -> pa.Array:
        """The rows to keep. Where a value is REQUIRED there is one, so that NULL means: it is shown as nothing."""
        kept = _filtered(shown, block.kept)
        return kept.fill_null("") if self._plans[index].required else kept

    def _present(self) -> dict[int, Kind]:
        """The columns that have a header or any content, with their kinds so far."""
        return {
            plan.index: kind
            for plan, kind, filled in zip(self._plans, self._kinds, self._filled, strict=True)
            if filled
        }

    def _open(self, kinds: Mapping[int, Kind], final: bool = False) -> _Segment:
        sink = pa.BufferOutputStream()
        schema = pa.schema(
            # A MIXED column is null until the sheet's own text takes its place.
            pa.field(
                self._plans[index].name,
                arrow_type(kind),
                nullable=not self._plans[index].required or (kind is Kind.MIXED and not final),
            )
            for index, kind in kinds.items()
        )
        writer = pq.ParquetWriter(
            sink,
            schema,
            compression="zstd",
            # Few values are often repeated in these; elsewhere a dictionary costs more than it saves (measured).
            use_dictionary=[field.name for field in schema if field.type in (pa.string(), pa.date32())],
            write_statistics=False,  # a load reads all there is
        )
        return _Segment(kinds, sink, writer, [])

    def _write(self, segment: _Segment, block: Block, arrays: Sequence[pa.Array]) -> None:
        batch = pa.Table.from_arrays(list(arrays), schema=segment.writer.schema)
        segment.writer.write_table(batch, row_group_size=max(1, batch.num_rows))
        segment.blocks.append(block)

    def _close_last(self) -> None:
        if self._segments:
            self._segments[-1].writer.close()

    def _table(self, kinds: Mapping[int, Kind], parquet: pa.Buffer) -> Table:
        columns = tuple(_load_column(self._plans[index], kind) for index, kind in kinds.items())
        blocks = tuple(block for segment in self._segments for block in segment.blocks)
        described = zip(columns, kinds, strict=True)
        content = content_hash((each.name, each.type, each.mode, self._hashes[index]) for each, index in described)
        return Table(columns, self.rows, parquet, blocks, content)


def _load_column(plan: ColumnPlan, kind: Kind) -> LoadColumn:
    asked = plan.asked
    return LoadColumn(
        name=plan.name,
        type=bigquery_type(kind),
        mode="REQUIRED" if plan.required else "NULLABLE",
        description=plan.description,
        index=plan.index,
        header=plan.header,
        blank=kind is Kind.BLANK and asked is None,
        precision=asked.precision if asked else None,
        scale=asked.scale if asked else None,
        max_length=asked.max_length if asked else None,
        default_value_expression=asked.default_value_expression if asked else None,
    )


def _filtered(array: pa.Array, kept: pa.BooleanArray | None) -> pa.Array:
    return array if kept is None else array.filter(kept)


def _rows_in_tab(block: Block) -> Sequence[int]:
    rows = range(block.first_row, block.first_row + block.rows)
    return rows if block.kept is None else list(compress(rows, block.kept.to_pylist()))


def _rows_kept(block: Block) -> int:
    return block.rows if block.kept is None else block.kept.true_count


def _widened(stored: pa.ChunkedArray | None, kind: Kind | None, wider: Kind, rows: int) -> pa.Array:
    if stored is None or kind is None:
        return pa.nulls(rows, arrow_type(wider))
    return recast(stored.combine_chunks(), kind, wider)
