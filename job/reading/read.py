"""Reads a config's tab into a typed table that is one state of the sheet, or fails and says why."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import datetime

import msgspec

from job.columns.convert import Locale, convert
from job.columns.findings import Findings
from job.columns.infer import Chunk, as_shown, infer
from job.columns.keys import check_keys
from job.columns.kinds import Kind
from job.columns.lengths import too_long
from job.columns.plan import ColumnPlan, plan_columns
from job.columns.rows import kept_rows
from job.columns.table import Block, Table, TableBuilder
from job.errors import (
    EmptySheet,
    HeaderRefused,
    KeysViolated,
    NotAGrid,
    OptionRefused,
    RangeNotFound,
    ReadRefused,
    SchemaViolated,
    TabNotFound,
    TooManyErrors,
    UnstableSheet,
)
from job.reading.ahead import ahead
from job.reading.blocks import BlockReader, TabBlock
from job.reading.mixed import MixedColumns
from job.reading.sheet import FIRST_BLOCK_CELLS, SheetReader
from job.reading.shown import read_shown
from job.reading.tab import Tab
from shared.config import Column, Config
from shared.errors import SyncError

# A team that types all day leaves pauses of seconds; a form that is answered all the time never does.
READINGS = 5
# What is wrong with cells that may be another minute's; and with a tab that was renamed, cut or taken away between two
# requests: Google refuses a range that lies outside of it.
_OF_CONTENT = (
    EmptySheet,
    SchemaViolated,
    TooManyErrors,
    HeaderRefused,
    KeysViolated,
    OptionRefused,
    TabNotFound,
    RangeNotFound,
    NotAGrid,
    ReadRefused,
)


class Reading(msgspec.Struct, frozen=True):
    """What one reading found: the table, and what its owner should know, by cell address and without values.

    `modified_at` is when the spreadsheet was edited last, where Drive tells.
    """

    table: Table
    warnings: tuple[str, ...]
    modified_at: datetime | None = None


def read_table(reader: SheetReader, config: Config, subject: str, standing: Sequence[Column] = ()) -> Reading:
    """The tab as a table, read between two equal versions of the file.

    `standing` are columns that keep the type which they have in the destination. Raises `UnstableSheet` if the sheet
    was edited during each of a few readings, `EmptySheet` if it has no rows and `on_empty` is fail, `SchemaViolated`
    if cells break the custom schema, `TooManyErrors` if more are in error than the config allows, `KeysViolated`,
    `HeaderRefused`, and what `SheetReader` raises.
    """
    version = reader.version()
    for _ in range(READINGS):
        outcome = _attempt(reader, config, subject, standing)
        before, version = version, reader.version()
        if before == version:
            if isinstance(outcome, Reading):
                return msgspec.structs.replace(outcome, modified_at=reader.modified_at)
            raise outcome
    raise UnstableSheet(
        f"{subject}: the spreadsheet was edited during each of {READINGS} readings", "it is tried again later"
    )


def _attempt(reader: SheetReader, config: Config, subject: str, standing: Sequence[Column]) -> Reading | SyncError:
    """One reading; what it says about the content is true only if the sheet stood still."""
    try:
        tab = reader.tab()
        if config.schema_handling == "string":
            reading = Reading(read_shown(reader, tab, subject), _findings(tab, config).warnings(0, tab.renamed))
        else:
            reading = _TabReading(reader, tab, config, subject, standing).read()
        if not reading.table.rows and config.options.on_empty == "fail":
            raise EmptySheet.of(subject)
        check_keys(reading.table, config.options.merge_keys, tab.title, subject)
        return reading
    except _OF_CONTENT as error:
        return error


def _findings(tab: Tab, config: Config) -> Findings:
    spreadsheet = config.spreadsheet
    return Findings(tab.title, lambda cell: spreadsheet.link(tab.gid, cell))


class _TabReading:
    """One pass over the tab."""

    def __init__(self, reader: SheetReader, tab: Tab, config: Config, subject: str, standing: Sequence[Column]) -> None:
        self._reader = reader
        self._standing = standing
        self._asked = config.custom_schema if config.schema_handling == "custom" else ()
        self._most_errors = config.options.max_error_cells
        self._subject = subject
        self._tab = tab
        self._locale = Locale(self._tab.locale, self._tab.time_zone)
        self._findings = _findings(tab, config)
        self._last_row = tab.header_row
        # Blocks, each with its columns of STRING(n) that hold more than text.
        self._unmeasured: list[tuple[Block, dict[int, Column]]] = []

    def read(self) -> Reading:
        with closing(self._blocks()) as blocks:
            builder = self._gathered(blocks)
        self._measure()
        self._findings.raise_violations(self._subject, self._by())
        self._findings.raise_errors(self._subject, self._most_errors)
        table = builder.finish(self._mixed(builder.mixed()).of)
        blank_rows = self._last_row - self._tab.header_row - builder.rows
        odd = self._findings.odd_headers(self._tab.header_row, table.columns)
        return Reading(table, (*self._findings.warnings(blank_rows, self._tab.renamed), *odd))

    def _by(self) -> str:
        """What asks for the columns' types, as errors name it."""
        if not self._standing:
            return "custom_schema"
        return "custom_schema or the table" if self._asked else "the table"

    def _gathered(self, blocks: Iterator[TabBlock]) -> TableBuilder:
        first = next(blocks)  # it always comes
        plans = plan_columns(first.headers, self._asked, self._subject, self._standing)
        builder = TableBuilder(plans)
        self._take(first, plans, builder)
        del first  # or its cells would stay in memory to the end
        for block in blocks:
            self._take(block, plans, builder)
        return builder

    def _blocks(self) -> Generator[TabBlock]:
        blocks = BlockReader(self._reader, self._tab).blocks()
        return ahead(blocks) if self._tab.height * self._tab.width > FIRST_BLOCK_CELLS else blocks

    def _take(self, block: TabBlock, plans: Sequence[ColumnPlan], builder: TableBuilder) -> None:
        if not block.rows:
            return
        self._last_row = block.first_row + block.rows - 1
        kept = kept_rows(block.columns, block.rows)
        chunks = [self._chunk(plan, block) for plan in plans]
        mixed = [plan for plan, chunk in zip(plans, chunks, strict=True) if chunk.kind is Kind.MIXED]
        if unmeasured := {plan.index: plan.asked for plan in mixed if plan.asked and plan.limited}:
            self._unmeasured.append((Block(block.first_row, block.rows, kept), unmeasured))
        self._findings.note_errors(block.first_row, block.columns)
        self._findings.note_violations(block.first_row, plans, block.columns, chunks, kept)
        if not self._findings.violations:  # with one, nothing is loaded
            builder.add(Block(block.first_row, block.rows, kept), chunks)

    def _chunk(self, plan: ColumnPlan, block: TabBlock) -> Chunk:
        values = block.columns[plan.index]
        chunk = infer(values, block.rows, block.moments.get(plan.index, Kind.BLANK))
        if plan.asked is None or plan.kind is chunk.kind:
            return chunk
        if plan.kind is not None:
            return convert(values, plan.asked, block.rows, self._locale)
        chunk = as_shown(chunk)
        if plan.limited and chunk.kind is not Kind.MIXED:
            chunk.violations = too_long(chunk.array, plan.asked)
        return chunk

    def _measure(self) -> None:
        """Notes what a STRING(n) is too short for among cells that are no text, by what the sheet shows of them."""
        columns = sorted({index for _, asked in self._unmeasured for index in asked})
        mixed = self._mixed(columns)
        for block, asked in self._unmeasured:
            shown = mixed.of(block)
            for index, column in asked.items():
                self._findings.note_too_long(block.first_row, index, too_long(shown[index], column))

    def _mixed(self, columns: Sequence[int]) -> MixedColumns:
        return MixedColumns(self._reader, self._tab, columns, self._last_row, self._findings.errors_of)
