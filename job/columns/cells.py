"""A1 notation: addresses for people (`Q4_Sales!C17`) and ranges for the Sheets API. Pure."""

import re

# https://developers.google.com/workspace/sheets/api/guides/concepts#cell: a title needs quotes
# unless it is a plain word; one that could be read as an address is no plain word.
_PLAIN_TITLE = re.compile(r"[^\W\d]\w*")
_LOOKS_LIKE_ADDRESS = re.compile(r"[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*[Cc][0-9]*")


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


def quoted(title: str) -> str:
    escaped = title.replace("'", "''")
    return f"'{escaped}'"
