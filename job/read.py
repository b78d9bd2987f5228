"""Reads a config's tab into a typed table that is one state of the sheet, or fails and says why."""

from collections.abc import Mapping, Sequence

import msgspec
import pyarrow as pa

from job.columns import ColumnPlan, plan_columns
from job.convert import Locale, convert
from job.errors import EmptySheet, SchemaViolated, UnstableSheet
from job.findings import Findings
from job.infer import Chunk, as_shown, infer, padded
from job.kinds import Kind
from job.moments import Format, kind_of, looks
from job.rows import kept_rows, rows_of
from job.sheet import Raw, SheetReader
from job.table import Block, Table, TableBuilder
from job.values import Values, decode, find_moments
from shared.config import Config

# A team that types all day leaves pauses of seconds; a form that is answered all the time never does.
READINGS = 5


class Reading(msgspec.Struct, frozen=True):
    """What one reading found: the table, and what its owner should know, by cell address and without values."""

    table: Table
    warnings: tuple[str, ...]


def read_table(reader: SheetReader, config: Config, subject: str) -> Reading:
    """The tab as a table, read between two equal versions of the file.

    Raises `UnstableSheet` if the sheet was edited during each of a few readings, `EmptySheet` if it has no
    rows, `SchemaViolated` if cells break the custom schema, and what `SheetReader` raises.
    """
    version = reader.version()
    for _ in range(READINGS):
        outcome = _attempt(reader, config, subject)
        before, version = version, reader.version()
        if before == version:
            if isinstance(outcome, Reading):
                return outcome
            raise outcome
    raise UnstableSheet(
        f"{subject}: the spreadsheet was edited during each of {READINGS} readings", "it is tried again later"
    )


def _attempt(reader: SheetReader, config: Config, subject: str) -> Reading | EmptySheet | SchemaViolated:
    """One reading; what it says about the content is true only if the sheet stood still."""
    try:
        return _TabReading(reader, config, subject).read()
    except (EmptySheet, SchemaViolated) as error:
        return error


class _TabReading:
    """One pass over the tab."""

    def __init__(self, reader: SheetReader, config: Config, subject: str) -> None:
        self._reader = reader
        self._asked = config.custom_schema if config.schema_handling == "custom" else ()
        self._subject = subject
        self._tab = reader.tab()
        self._locale = Locale(self._tab.locale, self._tab.time_zone)
        self._findings = Findings(self._tab.title)
        self._last_row = 1

    def read(self) -> Reading:
        builder: TableBuilder | None = None
        for first_row, header, raws in self._reader.blocks(self._tab):
            if builder is None:
                plans = plan_columns(self._headers(header), self._asked)
                builder = TableBuilder(plans)
            self._take(builder, plans, first_row, raws)
        self._findings.raise_violations(self._subject)
        if builder is None or not builder.rows:
            raise EmptySheet(
                f"{self._subject}: the tab has no rows below its header",
                "if that is meant, empty the table by hand; otherwise restore the sheet",
            )
        mixed = builder.mixed()
        table = builder.finish(lambda block: self._shown(mixed, block))
        blank_rows = self._last_row - 1 - builder.rows
        return Reading(table, self._findings.warnings(blank_rows, self._tab.renamed))

    def _headers(self, raws: Sequence[Raw]) -> list[str]:
        """Row 1 as text: what is not text already is read again as the sheet shows it."""
        columns = [decode(bytes(raw)) for raw in raws]
        if any(values.types - {str} or values.errors for values in columns):
            columns = [decode(bytes(raw), errors_are_null=False) for raw in self._reader.header_as_shown(self._tab)]
        texts = [(values.cells[0] or "") if values.cells else "" for values in columns]
        return texts + [""] * (self._tab.columns - len(texts))

    def _take(self, builder: TableBuilder, plans: Sequence[ColumnPlan], first_row: int, raws: Sequence[Raw]) -> None:
        columns = [decode(bytes(raw)) for raw in raws]
        rows = rows_of(columns)
        if not rows:
            return
        columns += [Values([], frozenset()) for _ in plans[len(columns) :]]
        self._last_row = first_row + rows - 1
        self._find_moments(first_row, raws, columns)
        kinds = self._moment_kinds(first_row, plans, columns)
        kept = kept_rows(columns, rows)
        flags = [True] * rows if kept is None else kept.to_pylist()
        chunks = []
        for plan, values in zip(plans, columns, strict=True):
            chunk = self._chunk(plan, values, rows, kinds.get(plan.index, Kind.BLANK))
            self._findings.note(plan, first_row, values, chunk, flags)
            chunks.append(chunk)
        builder.add(Block(first_row, rows, kept), chunks)

    def _find_moments(self, first_row: int, raws: Sequence[Raw], columns: Sequence[Values]) -> None:
        numeric = [index for index, values in enumerate(columns) if values.has_numbers]
        if numeric:
            shown = self._reader.columns(self._tab, first_row, self._last_row, numeric, moments_only=True)
            for index in numeric:
                find_moments(columns[index], bytes(raws[index]), bytes(shown[index]))

    def _moment_kinds(self, first_row: int, plans: Sequence[ColumnPlan], columns: Sequence[Values]) -> dict[int, Kind]:
        """The kinds of the columns that hold nothing but moments, by the number formats of cells of every look."""
        seen = {
            plan.index: looks(values)
            for plan, values in zip(plans, columns, strict=True)
            if plan.asked is None and values.only_moments
        }
        cells = sorted(
            {
                (first_row + position, index)
                for index, found in seen.items()
                for ends in found.values()
                for position in ends
            }
        )
        formats = self._reader.formats(self._tab, cells) if cells else {}
        return {
            index: kind_of(
                # Without a format of its own, a date with a time of day loses nothing.
                (look, formats.get((first_row + position, index), Format.DATETIME))
                for look, ends in found.items()
                for position in ends
            )
            for index, found in seen.items()
        }

    def _chunk(self, plan: ColumnPlan, values: Values, rows: int, moments: Kind) -> Chunk:
        if plan.kind is not None:
            return convert(values, plan.kind, rows, self._locale)
        chunk = infer(values, rows, moments)
        return as_shown(chunk) if plan.textual else chunk

    def _shown(self, columns: Sequence[int], block: Block) -> Mapping[int, pa.Array]:
        """Columns of a block as the sheet shows them: NULL where it shows nothing, or an error."""
        last_row = block.first_row + block.rows - 1
        raws = self._reader.columns(self._tab, block.first_row, last_row, columns, moments_only=False)
        return {
            index: pa.array(padded(decode(bytes(raw)).cells, block.rows), pa.string()) for index, raw in raws.items()
        }
