"""Headers into BigQuery's standard column names, as its default character map makes them. Pure.

That map, V1, is what a load uses that does not say `columnNameCharacterMap`
(cloud.google.com/bigquery/docs/reference/rest/v2/Job#columnnamecharactermap): letters without accents, digits and
`_` stay, every other character becomes one `_`, and a name that begins with a digit gets `_` in front.
"""

import re
from collections.abc import Sequence

from job.columns.cells import address, column_letters
from job.columns.names import LONGEST, unused
from job.errors import HeaderRefused

_UNSUPPORTED = re.compile(r"[^A-Za-z0-9_]")
# cloud.google.com/bigquery/docs/schemas#column_names
_RESERVED = (
    "_TABLE_",
    "_FILE_",
    "_PARTITION",
    "_ROW_TIMESTAMP",
    "__ROOT__",
    "_COLIDENTIFIER",
    "_CHANGE_SEQUENCE_NUMBER",
    "_CHANGE_TYPE",
    "_CHANGE_TIMESTAMP",
)


def standard_names(headers: Sequence[str], title: str, header_row: int, subject: str) -> list[str]:
    """One name for each header of a tab, from left to right; a blank one gets its column's letter (`column_c`).

    Raises `HeaderRefused` where two headers give one name, and where a name is none that BigQuery takes: what has a
    header is never given another name, so that a column cannot change its own when another one appears.
    """
    names = [standard_name(header) for header in headers]
    problems = _repeated(names, title, header_row) + _illegal(names, title, header_row)
    if problems:
        raise HeaderRefused(
            f"{subject}: headers that cannot be column names with schema_handling string: {'; '.join(problems)}",
            "change these headers, or use auto_detect, which finds a name for any; in the older service's shape (of a"
            " shadow, or by options.parity) only changing them helps: it fails at them as well",
        )
    taken = {name.casefold() for name in names if name}
    return [name or unused(f"column_{column_letters(index).lower()}", taken) for index, name in enumerate(names)]


def standard_name(header: str) -> str:
    """The name of a header as it stands; empty for an empty one."""
    name = _UNSUPPORTED.sub("_", header)
    return f"_{name}" if name[:1].isdigit() else name


def _repeated(names: Sequence[str], title: str, row: int) -> list[str]:
    first: dict[str, int] = {}
    return [
        f"{address(title, row, first[name.casefold()])} and {address(title, row, index)} give the same name"
        for index, name in enumerate(names)
        if name and first.setdefault(name.casefold(), index) != index
    ]


def _illegal(names: Sequence[str], title: str, row: int) -> list[str]:
    long = [
        f"{address(title, row, index)} gives more than {LONGEST} characters"
        for index, name in enumerate(names)
        if len(name) > LONGEST
    ]
    reserved = [
        f"{address(title, row, index)} begins as only BigQuery's own names do"
        for index, name in enumerate(names)
        if name.upper().startswith(_RESERVED)
    ]
    return long + reserved
