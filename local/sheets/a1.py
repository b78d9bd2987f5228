"""A1 notation: https://developers.google.com/workspace/sheets/api/guides/concepts#cell."""

import re
from dataclasses import dataclass

# Sheets has columns A to ZZZ. An unquoted word of this form is a cell even where a tab has that name, and `tab01`
# is the cell TAB1: https://github.com/nithinmurali/pygsheets/issues/416.
_CORNER = r"\$?(?P<column{0}>[A-Za-z]{{1,3}})?\$?(?P<row{0}>0*[1-9][0-9]*)?"
_CELLS = re.compile(_CORNER.format(1) + r"(?P<colon>:" + _CORNER.format(2) + ")?")
_PLAIN_TITLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Cells:
    """A rectangle of cells, zero-based and half-open; an end that is None is open."""

    first_row: int = 0
    end_row: int | None = None
    first_column: int = 0
    end_column: int | None = None


def column_number(letters: str) -> int:
    """Zero-based: A is 0, Z is 25, AA is 26."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def column_letters(number: int) -> str:
    """The inverse of `column_number`."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def parse_cells(text: str) -> Cells | None:
    """`A1`, `A1:C`, `A:C`, `2:5`, `$B$2`, … as cells; None if the text is none of these."""
    match = _CELLS.fullmatch(text)
    if match is None:
        return None
    column1, row1, column2, row2 = match.group("column1", "row1", "column2", "row2")
    if match["colon"] is None:
        if column1 is None or row1 is None:
            return None
        column2, row2 = column1, row1
    elif (column1 is None and row1 is None) or (column2 is None and row2 is None):
        return None
    first_row, end_row = _span(_row_number(row1), _row_number(row2))
    first_column, end_column = _span(_column_number(column1), _column_number(column2))
    return Cells(first_row, end_row, first_column, end_column)


def _row_number(text: str | None) -> int | None:
    return None if text is None else int(text) - 1


def _column_number(letters: str | None) -> int | None:
    return None if letters is None else column_number(letters)


def _span(first: int | None, last: int | None) -> tuple[int, int | None]:
    """Two inclusive ends in any order, either of them open, as a half-open span."""
    if first is None or last is None:
        return first or 0, None if last is None else last + 1
    return min(first, last), max(first, last) + 1


def split_tab(text: str) -> tuple[str | None, str | None]:
    """Separates a range into its tab's title and its cells, either of them None if it is not there.

    `Sheet1!A1` → ("Sheet1", "A1"), `'It''s'!A1` → ("It's", "A1"), `'Sheet1'` → ("Sheet1", None). A word
    without quotes and exclamation mark can be cells, a named range or a title: `Sheet1` → (None, "Sheet1").
    """
    quoted = re.fullmatch(r"'((?:[^']|'')+)'(?:!(.+))?", text, re.DOTALL)
    if quoted:
        return quoted[1].replace("''", "'"), quoted[2]
    title, mark, cells = text.rpartition("!")
    return (title, cells) if mark else (None, cells)


def quote_title(title: str) -> str:
    """A tab's title as Sheets writes it in a range: quoted unless it is a word that cannot be a cell."""
    if _PLAIN_TITLE.fullmatch(title) and parse_cells(title) is None:
        return title
    return "'" + title.replace("'", "''") + "'"


def write_range(title: str, cells: Cells) -> str:
    """`Sheet1!A1:C9` or, for one cell, `Sheet1!A1`; ends that are open stay open, as in `Sheet1!A2:C`."""
    first = column_letters(cells.first_column) + str(cells.first_row + 1)
    last_column = "" if cells.end_column is None else column_letters(cells.end_column - 1)
    last = last_column + ("" if cells.end_row is None else str(cells.end_row))
    return f"{quote_title(title)}!{first}" + (f":{last}" if last and last != first else "")
