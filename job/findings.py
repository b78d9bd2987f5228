"""What a reading found that the sheet's owner should know: by cell address, never by value. Pure."""

from collections.abc import Iterable, Sequence

from job.cells import address
from job.columns import ColumnPlan
from job.errors import SchemaViolated
from job.infer import Chunk
from job.values import Values

# Enough to see what is wrong; a message with all of a million addresses would help nobody.
ADDRESSES_TOLD = 20


class Findings:
    """Counts error cells and violations of the custom schema, and keeps the first addresses of each."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._errors = self._violations = 0
        self._error_cells: list[str] = []
        self._violating_cells: list[str] = []

    def note(self, plan: ColumnPlan, first_row: int, values: Values, chunk: Chunk, kept: Sequence[bool]) -> None:
        """Takes one column of a block; `kept` tells which of the block's rows are."""
        self._errors += len(values.errors)
        for position in values.errors[: ADDRESSES_TOLD - len(self._error_cells)]:
            self._error_cells.append(self._address(first_row + position, plan))
        violations = sorted([*chunk.violations, *(_blanks(values, kept) if plan.required else [])])
        self._violations += len(violations)
        for position, reason in violations[: ADDRESSES_TOLD - len(self._violating_cells)]:
            self._violating_cells.append(f"{self._address(first_row + position, plan)}: {reason}")

    def raise_violations(self, subject: str) -> None:
        """Raises `SchemaViolated` with the first violations and their count, if there is any."""
        if self._violations:
            raise SchemaViolated(
                f"{subject}: {_cells(self._violations)} not as custom_schema asks: "
                f"{_listed(self._violating_cells, self._violations)}",
                "correct the cells, or the schema",
            )

    def warnings(self, blank_rows: int, renamed: bool) -> tuple[str, ...]:
        told = []
        if self._errors:
            cells = _listed(self._error_cells, self._errors)
            told.append(f"{_cells(self._errors)} in error, loaded as NULL: {cells}")
        if blank_rows:
            told.append(f"{blank_rows} blank {'row' if blank_rows == 1 else 'rows'} between others left out")
        if renamed:
            told.append(f'the tab was renamed and found by its gid; it is now "{self._title}"')
        return tuple(told)

    def _address(self, row: int, plan: ColumnPlan) -> str:
        return address(self._title, row, plan.index)


def _blanks(values: Values, kept: Sequence[bool]) -> Iterable[tuple[int, str]]:
    given = len(values.cells)
    for position, stays in enumerate(kept):
        if stays and (position >= given or values.cells[position] is None):
            yield position, "nothing where a value is REQUIRED"


def _cells(count: int) -> str:
    return "1 cell is" if count == 1 else f"{count} cells are"


def _listed(cells: Sequence[str], count: int) -> str:
    rest = count - len(cells)
    return "; ".join(cells) + (f"; and {rest} more" if rest else "")
