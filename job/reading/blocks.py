"""A tab from top to bottom in blocks of rows, each with what its numbers mean: numbers, or dates and times."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from job.columns.kinds import Kind
from job.columns.moments import Format, Look, kind_of, looks
from job.columns.rows import rows_of
from job.columns.values import Values, decode
from job.reading.sheet import Raw, SheetReader
from job.reading.tab import Tab


@dataclass(slots=True)
class TabBlock:
    """Some rows of a tab, down to the last one of them that is not blank.

    `first_row` counts from 1; `headers` are the header row's texts as the sheet shows them, in the first block only;
    `columns` are all of the tab's, from A on; `moments` are the kinds of those that hold nothing but dates,
    times or durations.
    """

    first_row: int
    rows: int
    headers: list[str]
    columns: list[Values]
    moments: dict[int, Kind]


class BlockReader:
    """Reads one tab's blocks, once."""

    def __init__(self, reader: SheetReader, tab: Tab) -> None:
        self._reader = reader
        self._tab = tab
        # What the cells of a look are in a column, once two of them have been read.
        self._formats: dict[tuple[int, Look], set[Format]] = {}

    def blocks(self) -> Generator[TabBlock]:
        """The blocks; the first one always comes, for its headers."""
        for first_row, header, raws in self._reader.blocks(self._tab):
            columns = [decode(bytes(raw)) for raw in raws]
            self._tell_texts_from_errors(first_row, raws, columns)
            raws.clear()  # all of them are slices of one answer, which would stay as long as they do
            rows = rows_of(columns)
            if rows:
                self._find_moments(first_row, first_row + rows - 1, columns)
            columns += [decode(b"[]") for _ in range(self._tab.columns - len(columns))]
            yield TabBlock(first_row, rows, self._headers(header), columns, self._moment_kinds(first_row, columns))

    def _headers(self, raws: Sequence[Raw]) -> list[str]:
        """The header row as text: what is not text already is read again as the sheet shows it."""
        columns = [decode(bytes(raw)) for raw in raws]
        if any(values.kind not in (Kind.BLANK, Kind.TEXT) or values.errors for values in columns):
            row, first = self._tab.header_row, self._tab.first_column
            shown = self._reader.columns(self._tab, row, row, range(first, self._tab.columns), moments_only=False)
            columns[first:] = [decode(bytes(raw), errors=()) for raw in shown.values()]
        texts = [(values.cells[0] or "") if values.cells else "" for values in columns]
        return texts + [""] * (self._tab.columns - len(texts))

    def _tell_texts_from_errors(self, first_row: int, raws: Sequence[Raw], columns: list[Values]) -> None:
        """Reads columns again in which a text merely says `#N/A`: values cannot tell, so the sheet is asked."""
        said = {index: values.errors for index, values in enumerate(columns) if values.errors}
        in_error = self._reader.errors(self._tab, first_row, said) if said else {}
        for index, rows in in_error.items():
            errors = [position for position in said[index] if first_row + position in rows]
            if len(errors) < len(said[index]):
                columns[index] = decode(bytes(raws[index]), errors)

    def _find_moments(self, first_row: int, last_row: int, columns: Sequence[Values]) -> None:
        numeric = [index for index, values in enumerate(columns) if values.has_numbers]
        if numeric:
            shown = self._reader.columns(self._tab, first_row, last_row, numeric, moments_only=True)
            for index in numeric:
                columns[index].find_moments(bytes(shown[index]))

    def _moment_kinds(self, first_row: int, columns: Sequence[Values]) -> dict[int, Kind]:
        """By the number formats of the first and the last cell of each look."""
        seen = {index: looks(values) for index, values in enumerate(columns) if values.only_moments}
        cells = {
            (first_row + position, index): (index, look)
            for index, found in seen.items()
            for look, ends in found.items()
            if (index, look) not in self._formats
            for position in ends
        }
        formats = self._reader.formats(self._tab, sorted(cells)) if cells else {}
        for cell, key in cells.items():
            # What has no format of its own is taken for the kind that loses nothing.
            self._formats.setdefault(key, set()).add(formats.get(cell, Format.DATETIME))
        return {
            index: kind_of((look, shows) for look in found for shows in self._formats[index, look])
            for index, found in seen.items()
        }
