"""One column of one block of cells, as the Sheets API sends it: decoded, with its errors and dates found. Pure."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from job.columns.kinds import Kind, arrow_type
from job.columns.plain import plain_array

Cell = float | int | bool | str | None

# What a cell with an error says, in every locale of Sheets; a text can say it, too
# (developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/other#ErrorType).
ERRORS = frozenset(
    {
        "#N/A",
        "#REF!",
        "#DIV/0!",
        "#VALUE!",
        "#NAME?",
        "#NUM!",
        "#NULL!",
        "#ERROR!",
        "#SPILL!",
        "#CALC!",
    }
)
_NUMBERS = frozenset({int, float})
_KIND_OF_TYPES = {
    frozenset[type](): Kind.BLANK,
    frozenset({bool}): Kind.BOOL,
    frozenset({int}): Kind.INT64,
    frozenset({float}): Kind.FLOAT64,
    frozenset({int, float}): Kind.FLOAT64,
    frozenset({str}): Kind.TEXT,
}
_KIND_OF_ARRAY = {
    pa.bool_(): Kind.BOOL,
    pa.int64(): Kind.INT64,
    pa.float64(): Kind.FLOAT64,
    pa.string(): Kind.TEXT,
}
_decode = msgspec.json.Decoder(list).decode


class Values:
    """The cells of one column in one block, from its first row on; blank ones at the end may be missing.

    `kind` is what they are but for their number formats: BLANK, BOOL, INT64, FLOAT64, TEXT, or MIXED. `array` has
    them, NULL where a cell is blank or has an error; it is None where the column is BLANK or MIXED. `errors` are the
    positions of error cells. `shown` is how the sheet shows the cells, if number formats show them all as dates,
    times or durations.
    """

    __slots__ = ("_cells", "_moments", "_raw", "array", "errors", "has_numbers", "kind", "shown")

    def __init__(self, raw: bytes, kind: Kind, array: pa.Array | None, has_numbers: bool) -> None:
        self._raw = raw
        self._cells: list[Any] | None = None
        self._moments: list[int] = []
        self.kind = kind
        self.array = array
        self.has_numbers = has_numbers
        self.errors: list[int] = []
        self.shown: pa.StringArray | None = None

    @property
    def cells(self) -> list[Any]:
        """The cells as Python has them, None where one is blank or has an error: for what looks at each of them."""
        if self._cells is None:
            self._cells = _cells(self._raw)
            for position in self.errors:
                self._cells[position] = None
        return self._cells

    @property
    def moments(self) -> list[int]:
        """The positions of the cells that a number format shows as a date, a time or a duration."""
        if self.shown is not None:
            return pc.indices_nonzero(self.shown.is_valid()).to_pylist()
        return self._moments

    @property
    def only_moments(self) -> bool:
        """Whether every cell that is not blank is a date, a time or a duration."""
        return self.shown is not None

    def present(self) -> pa.BooleanArray:
        """Which of the cells hold a value."""
        if self.array is not None:
            return self.array.is_valid()
        return pa.array([cell is not None for cell in self.cells], pa.bool_())

    def find_moments(self, shown: bytes) -> None:
        """Notes which of the numbers are dates, times or durations.

        `shown` is the same column, read with `dateTimeRenderOption=FORMATTED_STRING`: exactly the cells that a
        date-time number format shows are text there and numbers here. So without one, both are equal bytes.
        """
        if shown == self._raw:
            return
        if self.array is not None:
            texts = plain_array(shown)
            if texts is not None and texts.type == pa.string() and _hold_the_same(self.array, texts):
                self.shown = texts
                return
        texts = [
            display if type(display) is str and type(cell) in _NUMBERS else None
            for cell, display in zip_longest(self.cells, _decode(shown))
        ]
        self._moments = [position for position, display in enumerate(texts) if display is not None]
        if self._moments and self.array is not None and len(self._moments) == len(self.array) - self.array.null_count:
            self.shown = pa.array(texts, pa.string())


def decode(raw: bytes, errors: Sequence[int] | None = None) -> Values:
    """The column in a JSON array of cells. Blank cells come as `""`, errors as their text.

    `errors` are the positions of error cells where they are known; without them, each cell that says so is one.
    """
    array = plain_array(raw)
    # One character is found ten times as fast as two.
    doubtful = b"#" in raw and b'"#' in raw if errors is None else errors
    if array is None or doubtful:
        return _decoded(raw, errors)
    kind = _KIND_OF_ARRAY[array.type]
    if array.null_count == len(array):
        return Values(raw, Kind.BLANK, None, has_numbers=False)
    return Values(raw, kind, array, has_numbers=kind in (Kind.INT64, Kind.FLOAT64))


def _decoded(raw: bytes, errors: Sequence[int] | None) -> Values:
    """The same for any column, by way of Python's objects."""
    cells = _cells(raw)
    if errors is None:
        errors = list(_saying_error(cells)) if b"#" in raw else []
    # The sheet can have been cut since they were known.
    errors = [position for position in errors if position < len(cells)]
    for position in errors:
        cells[position] = None
    types = frozenset(map(type, cells)) - {type(None)}
    kind = _KIND_OF_TYPES.get(types, Kind.MIXED)
    array = None
    if kind not in (Kind.BLANK, Kind.MIXED):
        try:
            array = pa.array(cells, arrow_type(kind))
        except (pa.ArrowInvalid, OverflowError):  # more than 64 bits; Sheets itself keeps 53 of them
            kind, array = Kind.FLOAT64, pa.array([None if cell is None else float(cell) for cell in cells])
    values = Values(raw, kind, array, has_numbers=not _NUMBERS.isdisjoint(types))
    values.errors = errors
    values._cells = cells
    return values


def _saying_error(cells: Sequence[Any]) -> Iterator[int]:
    return (position for position, cell in enumerate(cells) if type(cell) is str and cell[0] == "#" and cell in ERRORS)


def _cells(raw: bytes) -> list[Any]:
    return [None if cell == "" else cell for cell in _decode(raw)]


def _hold_the_same(numbers: pa.Array, texts: pa.Array) -> bool:
    """Whether both have a cell wherever the other has one."""
    if len(numbers) != len(texts) or numbers.null_count != texts.null_count:
        return False
    return not numbers.null_count or numbers.is_valid().equals(texts.is_valid())
