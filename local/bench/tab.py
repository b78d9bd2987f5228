"""Generated tabs of the kind that teams keep: ten kinds of columns, blanks, ragged rows. Always the same cells."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local.sheets.pattern import parse_pattern
from local.sheets.spreadsheet import SMALLEST_COLUMNS, Column, Spreadsheet, Tab, Value

SPREADSHEET_ID = "generated-orders"
TITLE = "Orders"
# https://support.google.com/drive/answer/37603
MOST_CELLS = 10_000_000
# Whole days from 2020-01-01 on, as Sheets counts them.
FIRST_DAY = 43831
DAYS = 2000
SECONDS_A_DAY = 86400
FIRST_NAMES = ("Ada", "Björn", "Chloë", "Dmitri", "Emeka", "Fatima", "Grace", "Hiroshi", "Inés", "Jürgen")
LAST_NAMES = ("Ångström", "Brown", "Chen", "Díaz", "Evans", "Fischer", "García", "Haddad", "Ito", "Jones")
NOTES = ("call back", "paid late", "gift wrap, please", "moved to Q3", 'says "urgent"')


@dataclass(frozen=True)
class Size:
    """How large a tab is; its header is a row more."""

    rows: int
    columns: int

    def __str__(self) -> str:
        return f"{self.rows:,} × {self.columns}"

    @classmethod
    def parse(cls, text: str) -> "Size":
        """`ROWSxCOLUMNS`, for example `1000x10`; ValueError for anything else."""
        match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
        if match is None:
            raise ValueError(f"a size is ROWSxCOLUMNS, for example 1000x10, not {text!r}")
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Kind:
    """A kind of column: header, number format, and its value in a row."""

    header: str
    pattern: str
    value: Callable[[random.Random, int], Value]


def _blank_or(share_blank: float, value: Value, rng: random.Random) -> Value:
    return None if rng.random() < share_blank else value


KINDS: Sequence[Kind] = (
    Kind("Order ID", "General", lambda rng, row: 100_000 + row),
    Kind("Customer", "General", lambda rng, row: f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"),
    Kind("Amount", "$#,##0.00", lambda rng, row: round(rng.uniform(-50, 5000), 2)),
    Kind("Share", "0.0%", lambda rng, row: round(rng.random(), 3)),
    Kind("Order date", "yyyy-mm-dd", lambda rng, row: FIRST_DAY + rng.randrange(DAYS)),
    Kind(
        "Updated at",
        "yyyy-mm-dd hh:mm:ss",
        lambda rng, row: FIRST_DAY + rng.randrange(DAYS * SECONDS_A_DAY) / SECONDS_A_DAY,
    ),
    Kind("Paid", "General", lambda rng, row: rng.random() < 0.7),
    Kind("SKU", "@", lambda rng, row: f"{rng.randrange(10_000):06d}"),
    Kind("Discount", "General", lambda rng, row: _blank_or(0.3, rng.randrange(50), rng)),
    # The last of ten, mostly blank: rows end early.
    Kind("Note", "General", lambda rng, row: _blank_or(0.6, rng.choice(NOTES), rng)),
)


class GeneratedTab(Tab):
    """As wide as a new sheet is, blank columns included, where a spreadsheet can hold that many cells."""

    @property
    def column_count(self) -> int:
        return max(len(self.columns), min(SMALLEST_COLUMNS, MOST_CELLS // self.row_count))


def spreadsheet(size: Size) -> Spreadsheet:
    """A spreadsheet with one tab of that size under a header row."""
    rng = random.Random(f"{size.rows} {size.columns}")  # noqa: S311 - the same cells each time, nothing secret
    texts = sorted({kind.pattern for kind in KINDS} - {"General"})
    patterns = [parse_pattern(text) for text in ("General", *texts)]
    index = {text: number for number, text in enumerate(("General", *texts))}
    columns = [_column(size, number, rng, index) for number in range(size.columns)]
    tab = GeneratedTab(title=TITLE, gid=0, index=0, columns=columns)
    return Spreadsheet(tabs=[tab], named_ranges=[], patterns=patterns)


def _column(size: Size, number: int, rng: random.Random, pattern_index: dict[str, int]) -> Column:
    repeat, which = divmod(number, len(KINDS))
    kind = KINDS[which]
    header = f"{kind.header} {repeat + 1}" if repeat else kind.header
    values: list[Value] = [header]
    values += [kind.value(rng, row) for row in range(size.rows)]
    return Column(values, [0] + [pattern_index[kind.pattern]] * size.rows)
