"""A1 notation: addresses for people (`Q4_Sales!C17`) and ranges for the Sheets API. Pure."""

import heapq
import re
from collections.abc import Sequence

import msgspec

# https://developers.google.com/workspace/sheets/api/guides/concepts#cell: a title needs quotes
# unless it is a plain word; one that could be read as an address is no plain word.
_PLAIN_TITLE = re.compile(r"[^\W\d]\w*")
_LOOKS_LIKE_ADDRESS = re.compile(r"[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*[Cc][0-9]*")
_CORNER = r"(?:\$?([A-Za-z]{1,3}))?(?:\$?([0-9]{1,8}))?"
_AREA = re.compile(rf"{_CORNER}(?::{_CORNER})?")
_TITLED = re.compile(r"(?:'((?:[^']|'')+)'|([^'].*?))\s*!\s*([^!]+)", re.DOTALL)


class Area(msgspec.Struct, frozen=True):
    """A rectangle of cells, both ends included: rows from 1, columns from 0. An end that is None is the grid's."""

    first_row: int = 1
    last_row: int | None = None
    first_column: int = 0
    last_column: int | None = None


def parse_area(text: str) -> Area | None:
    """The area that `B3:F9`, `b3:f`, `A:D`, `2:5`, `$B$3`, … means, its corners in any order; None for other texts.

    A column or a row may be missing at the end alone: programs differ in what they take `A:D9` for.
    """
    match = _AREA.fullmatch(text.strip())
    if match is None:
        return None
    columns = [column_number(letters) if letters else None for letters in match.group(1, 3)]
    rows = [int(digits) if digits else None for digits in match.group(2, 4)]
    if ":" not in text:
        columns[1], rows[1] = columns[0], rows[0]
        if None in (*columns, *rows):
            return None
    if 0 in rows or any(first is None and last is not None for first, last in (columns, rows)):
        return None
    if (columns[0], rows[0]) == (None, None) or (columns[1], rows[1]) == (None, None):
        return None
    (first_column, last_column), (first_row, last_row) = _ordered(*columns), _ordered(*rows)
    return Area(first_row or 1, last_row, first_column or 0, last_column)


def split_title(text: str) -> tuple[str | None, str]:
    """A range's tab, None if it names none, and its cells: `'My tab'!B3:F` are `My tab` and `B3:F`."""
    match = _TITLED.fullmatch(text.strip())
    if match is None:
        return None, text.strip()
    return (match[2] or match[1].replace("''", "'")), match[3]


def column_number(letters: str) -> int:
    """The inverse of `column_letters`, whatever the case."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def column_letters(index: int) -> str:
    """The letters of a column, from its index counted from 0: 0 is `A`, 26 is `AA`."""
    letters = ""
    number = index + 1
    while number:
        number, remainder = divmod(number - 1, 26)
        letters = chr(ord("A") + remainder) + letters
    return letters


def address(title: str, row: int, column: int) -> str:
    """A cell as people write it: `Q4_Sales!C17`, `'My tab'!A1`. `row` counts from 1, `column` from 0."""
    plain = _PLAIN_TITLE.fullmatch(title) and not _LOOKS_LIKE_ADDRESS.fullmatch(title)
    return f"{title if plain else quoted(title)}!{column_letters(column)}{row}"


def area(title: str, first_row: int, last_row: int, first_column: int, last_column: int) -> str:
    """A range for the API, all ends included; the title always in quotes, since that is never wrong."""
    start = f"{column_letters(first_column)}{first_row}"
    return f"{quoted(title)}!{start}:{column_letters(last_column)}{last_row}"


def spans(numbers: Sequence[int], bridged: int, most: int) -> list[tuple[int, int]]:
    """Spans, as (first, last), that hold these ascending rows or columns.

    They bridge up to `bridged` others between two; if they were more than `most`, as many more as it takes.
    """
    parted = [at for at in range(1, len(numbers)) if numbers[at] - numbers[at - 1] > bridged + 1]
    widest = heapq.nlargest(most - 1, parted, key=lambda at: numbers[at] - numbers[at - 1])
    starts = [0, *sorted(widest)]
    ends = [*starts[1:], len(numbers)]
    return [(numbers[start], numbers[end - 1]) for start, end in zip(starts, ends, strict=True)]


def quoted(title: str) -> str:
    escaped = title.replace("'", "''")
    return f"'{escaped}'"


def _ordered(first: int | None, last: int | None) -> tuple[int | None, int | None]:
    return (first, last) if first is None or last is None else (min(first, last), max(first, last))
