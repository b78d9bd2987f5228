"""What a reading found that the sheet's owner should know: by cell address, never by value. Pure."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa

from job.columns.cells import address, column_letters
from job.columns.infer import Chunk, padded
from job.columns.plan import ColumnPlan
from job.columns.values import Values
from job.errors import SchemaViolated

# Enough to see what is wrong; a message with all of a million addresses would help nobody.
ADDRESSES_TOLD = 20


class Findings:
    """Counts error cells and violations of the custom schema, and keeps the first of each, row by row.

    `violations` is how many cells, so far, are not as the schema asks.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._errors = self.violations = 0
        self._error_cells: list[str] = []
        # By row and column, each with its reason; the first ones in this order.
        self._violations: list[tuple[int, int, str]] = []

    def note_errors(self, first_row: int, columns: Sequence[Values]) -> None:
        """Takes the error cells of one block."""
        self._errors += sum(len(values.errors) for values in columns)
        found = ((position, index) for index, values in enumerate(columns) for position in values.errors)
        for position, index in heapq.nsmallest(ADDRESSES_TOLD - len(self._error_cells), found):
            self._error_cells.append(address(self._title, first_row + position, index))

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

    def raise_violations(self, subject: str, link: Callable[[str], str]) -> None:
        """Raises `SchemaViolated` with the first violations and their count, if there is any.

        `link` gives the address that opens the tab at a cell (`C17`).
        """
        if self.violations:
            row, index, _ = self._violations[0]
            cells = [f"{address(self._title, row, index)}: {reason}" for row, index, reason in self._violations]
            raise SchemaViolated(
                f"{subject}: {_cells(self.violations)} not as custom_schema asks: {_listed(cells, self.violations)}",
                f"correct the cells, or the schema; the first is at {link(f'{column_letters(index)}{row}')}",
            )

    def warnings(self, blank_rows: int, renamed: bool) -> tuple[str, ...]:
        """Sentences for the run's outcome."""
        told = []
        if self._errors:
            cells = _listed(self._error_cells, self._errors)
            told.append(f"{_cells(self._errors)} in error, loaded as NULL: {cells}")
        if blank_rows:
            told.append(f"{blank_rows} blank {'row' if blank_rows == 1 else 'rows'} between others left out")
        if renamed:
            told.append(f'the tab was renamed and found by its gid; it is now "{self._title}"')
        return tuple(told)


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
