"""Headers into BigQuery column names: legal, unique, and the same for the same headers. Pure.

cloud.google.com/bigquery/docs/schemas#column_names and #flexible-column-names: at most 300 characters,
compared without regard to case, letters of every script allowed. The reserved prefixes (`_TABLE_`,
`_FILE_`, `_PARTITION_`, `__ROOT__`, …) all begin with `_` and a letter or another `_`; a name made here
begins with `_` only where a digit or a mark follows, so none of them can occur.
"""

import unicodedata
from collections.abc import Sequence

from job.columns.cells import column_letters

LONGEST = 300


def column_names(headers: Sequence[str]) -> list[str]:
    """One name for each header, from left to right.

    A column whose header already is a name keeps it; of two equal names the later gets `_2`, `_3`, …;
    a header with nothing left gets its column's letter (`column_c`).
    """
    natural = [name_of(header) for header in headers]
    taken: set[str] = set()
    names = [_first_claim(name, taken) for name in natural]
    for index, name in enumerate(names):
        if name is None:
            names[index] = unused(natural[index] or f"column_{column_letters(index).lower()}", taken)
    return [name or "" for name in names]


def name_of(header: str) -> str:
    """The name that a header asks for; empty if it has no letter and no digit.

    NFKC; letters, their marks and digits stay, every other run of characters becomes one `_`; lower
    case; outer `_` trimmed; what does not begin with a letter gets `_` before it.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", header).lower())
    kept = "".join(character if _stays(character) else " " for character in text)
    name = "_".join(kept.split())[:LONGEST].rstrip("_")
    if not any(character.isalnum() for character in name):
        return ""
    if name[0].isalpha():
        return name
    return f"_{name}"[:LONGEST].rstrip("_")


def _stays(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _first_claim(name: str, taken: set[str]) -> str | None:
    if not name or name.casefold() in taken:
        return None
    taken.add(name.casefold())
    return name


def unused(name: str, taken: set[str]) -> str:
    number = 1
    candidate = name
    while candidate.casefold() in taken:
        number += 1
        suffix = f"_{number}"
        candidate = f"{name[: LONGEST - len(suffix)].rstrip('_')}{suffix}"
    taken.add(candidate.casefold())
    return candidate
