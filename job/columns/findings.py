"""What a reading found that the sheet's owner should know: by cell address, never by value. Pure."""

import heapq
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa

from job.columns.cells import address, column_letters
from job.columns.infer import Chunk, padded
from job.columns.names import name_of
from job.columns.plan import ColumnPlan
from job.columns.table import LoadColumn
from job.columns.values import Values
from job.errors import SchemaViolated, TooManyErrors
from shared.counted import counted

# Enough to see what is wrong; a message with all of a million addresses would help nobody.
ADDRESSES_TOLD = 20


class Findings:
    """Counts error cells and violations of the custom schema, and keeps the first of each, row by row.

    `violations` is how many cells, so far, are not as the schema asks. `link` gives the address that opens the tab
    at a cell (`C17`).
    """

    def __init__(self, title: str, link: Callable[[str], str]) -> None:
        self._title = title
        self._link = link
        self._errors = self.violations = 0
        self._error_rows: dict[int, array[int]] = {}
        self._error_cells: list[tuple[int, int]] = []
        # By row and column, each with its reason; the first ones in this order.
        self._violations: list[tuple[int, int, str]] = []

    def note_errors(self, first_row: int, columns: Sequence[Values]) -> None:
        """Takes the error cells of one block."""
        for index, values in enumerate(columns):
            if values.errors:
                self._errors += len(values.errors)
                rows = self._error_rows.setdefault(index, array("I"))
                rows.extend(first_row + position for position in values.errors)
        found = ((position, index) for index, values in enumerate(columns) for position in values.errors)
        for position, index in heapq.nsmallest(ADDRESSES_TOLD - len(self._error_cells), found):
            self._error_cells.append((first_row + position, index))

    def errors_of(self, column: int, first_row: int, last_row: int) -> list[int]:
        """The positions of a column's error cells in these rows, of blocks that were taken."""
        rows = self._error_rows.get(column, array("I"))
        return [row - first_row for row in rows[bisect_left(rows, first_row) : bisect_right(rows, last_row)]]

    def note_violations(
        self,
        first_row: int,
        plans: Sequence[ColumnPlan],
        columns: Sequence[Values],
        chunks: Sequence[Chunk],
        kept: pa.BooleanArray | None,
    ) -> None:
        """Takes the violations of one block; `kept` tells which of its rows are (None: all)."""
        found = [
            (first_row + position, plan.index, reason)
            for plan, values, chunk in zip(plans, columns, chunks, strict=True)
            if plan.asked is not None
            for position, reason in (*chunk.violations, *(_blanks(values, len(chunk.array), kept, plan.required)))
        ]
        self._note(found)

    def note_too_long(self, first_row: int, index: int, found: Sequence[tuple[int, str]]) -> None:
        """Takes texts of one column of a block that was noted before: their lengths are known late."""
        self._note([(first_row + position, index, reason) for position, reason in found])

    def _note(self, found: Sequence[tuple[int, int, str]]) -> None:
        self.violations += len(found)
        self._violations = heapq.nsmallest(ADDRESSES_TOLD, [*self._violations, *found])

    def raise_violations(self, subject: str, by: str) -> None:
        """Raises `SchemaViolated` with the first violations and their count, if there is any; `by` is what asks."""
        if self.violations:
            cells = [f"{self._linked(row, index)}: {reason}" for row, index, reason in self._violations]
            raise SchemaViolated(
                f"{subject}: {_cells(self.violations)} not as {by} asks: {_listed(cells, self.violations)}",
                "correct the cells, or the schema",
            )

    def raise_errors(self, subject: str, most: int | None) -> None:
        """Raises `TooManyErrors` if more cells than `most` are in error; None: they may be as many as they want."""
        if most is not None and self._errors > most:
            cells = [self._linked(*cell) for cell in self._error_cells]
            raise TooManyErrors(
                f"{subject}: {_cells(self._errors)} in error, and max_error_cells is {most}: "
                f"{_listed(cells, self._errors)}",
                "correct their formulas, or raise max_error_cells in the config's options",
            )

    def warnings(self, blank_rows: int, renamed: bool) -> tuple[str, ...]:
        """Sentences for the run's outcome."""
        told = []
        if self._errors:
            first, *others = self._error_cells
            cells = [self._linked(*first), *(address(self._title, *cell) for cell in others)]
            told.append(f"{_cells(self._errors)} in error, loaded as NULL: {_listed(cells, self._errors)}")
        if blank_rows:
            told.append(f"{blank_rows} blank {'row' if blank_rows == 1 else 'rows'} between others left out")
        if renamed:
            told.append(f'the tab was renamed and found by its gid; it is now "{self._title}"')
        return tuple(told)

    def odd_headers(self, header_row: int, columns: Sequence[LoadColumn]) -> tuple[str, ...]:
        """Sentences about headers that could not give their columns the name that people expect."""
        nameless: list[tuple[int, int]] = []
        taken: list[tuple[int, int]] = []
        names = {column.name.casefold() for column in columns}
        for column in columns:
            natural = name_of(column.header).casefold()
            if column.index is not None and natural != column.name.casefold() and (not natural or natural in names):
                (taken if natural else nameless).append((header_row, column.index))
        told = []
        if nameless:
            what = "has no letters and digits" if len(nameless) == 1 else "have no letters and digits"
            told.append(f"{counted(len(nameless), 'header')} {what}: {self._first_of(nameless)}")
        if taken:
            what = "makes a name that is taken" if len(taken) == 1 else "make names that are taken"
            told.append(f"{counted(len(taken), 'header')} {what}, and got a number behind it: {self._first_of(taken)}")
        return tuple(told)

    def _first_of(self, cells: Sequence[tuple[int, int]]) -> str:
        return _listed([self._linked(*cell) for cell in cells[:ADDRESSES_TOLD]], len(cells))

    def _linked(self, row: int, column: int) -> str:
        return f"{address(self._title, row, column)} ({self._link(f'{column_letters(column)}{row}')})"


def _blanks(values: Values, rows: int, kept: pa.BooleanArray | None, required: bool) -> Iterator[tuple[int, str]]:
    if not required:
        return
    flags: Iterable[bool] = [True] * rows if kept is None else kept.to_pylist()
    for position, (cell, stays) in enumerate(zip(padded(values.cells, rows), flags, strict=False)):
        if stays and cell is None:
            yield position, "nothing where a value is REQUIRED"


def _cells(count: int) -> str:
    return "1 cell is" if count == 1 else f"{count} cells are"


def _listed(cells: Sequence[str], count: int) -> str:
    rest = count - len(cells)
    return "; ".join(cells) + (f"; and {rest} more" if rest else "")
