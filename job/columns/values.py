"""One column of one block of cells, as the Sheets API sends it: decoded, with its errors and dates found. Pure."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

Cell = float | int | bool | str | None

# What a cell with an error says, in every locale of Sheets
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
_decode = msgspec.json.Decoder(list).decode


@dataclass(slots=True)
class Values:
    """The cells of one column in one block, from its first row on.

    `cells` are the unformatted values, None where a cell is blank or has an error; cells at the end may be
    missing, where nothing follows. `errors` are the positions of error cells. `types` are those in `cells`
    apart from None. `moments` are the positions of the cells that a number format shows as a date, a time or
    a duration; `shown` is how.
    """

    cells: list[Any]
    types: frozenset[type]
    errors: list[int] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    shown: list[Any] = field(default_factory=list)

    @property
    def has_numbers(self) -> bool:
        return not _NUMBERS.isdisjoint(self.types)

    @property
    def only_moments(self) -> bool:
        """Whether every cell that is not blank is a date, a time or a duration."""
        if not self.moments or not self.types <= _NUMBERS:
            return False
        return len(self.moments) == len(self.cells) - self.cells.count(None)


def decode(raw: bytes, errors_are_null: bool = True) -> Values:
    """The column in a JSON array of cells. Blank cells come as `""`, errors as their text."""
    cells = _decode(_blanks_to_null(raw))
    types = set(map(type, cells))
    errors: list[int] = []
    if str in types:
        for position, cell in enumerate(cells):
            if cell == "":
                cells[position] = None
            elif errors_are_null and type(cell) is str and cell[0] == "#" and cell in ERRORS:
                errors.append(position)
                cells[position] = None
        types = set(map(type, cells))
    types.discard(type(None))
    return Values(cells=cells, types=frozenset(types), errors=errors)


def find_moments(values: Values, raw: bytes, raw_shown: bytes) -> None:
    """Notes in `values` which of its numbers are dates, times or durations.

    `raw_shown` is the same column, read with `dateTimeRenderOption=FORMATTED_STRING`: exactly the cells that a
    date-time number format shows are text there and numbers in `raw`. So without one, both are equal bytes.
    """
    if raw == raw_shown:
        return
    shown = _decode(raw_shown)
    values.moments = [
        position
        for position, (cell, display) in enumerate(zip(values.cells, shown, strict=False))
        if type(display) is str and type(cell) in _NUMBERS
    ]
    if values.moments:
        values.shown = shown


def _blanks_to_null(raw: bytes) -> bytes:
    """The array with `""` as `null`, so that columns with holes decode into what Arrow takes as it is.

    Safe without parsing: a quote inside a JSON string is escaped, so two quotes after a comma (or the opening
    bracket) are always an empty string. It is an optimization only: blanks between spaces are found later.
    """
    if b'""' not in raw:
        return raw
    if raw.startswith(b'[""'):
        raw = b"[null" + raw[3:]
    return raw.replace(b',""', b",null")
