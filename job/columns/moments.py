"""Dates, times and durations: serial numbers and number formats into Arrow arrays. Pure.

A serial number counts days from 1899-12-30, without a time zone
(developers.google.com/workspace/sheets/api/guides/formats#about_date_time_values).
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from job.columns.kinds import Kind, arrow_type, widen
from job.columns.values import Values

DAY = 86_400_000  # milliseconds: the precision of Sheets; finer digits are the noise of binary fractions
EPOCH = 25_569  # the serial number of 1970-01-01
# BigQuery's years 1 to 9999, as serial numbers.
FIRST_DAY, LAST_DAY = -693_593, 2_958_465
# A time-of-day format on a number of days: below this it is a sum of hours (nobody adds up 24,000 hours),
# from there on a moment of which only the time is shown (and no team's records begin before 1902).
DAYS_OF_A_DURATION = 1_000
# Quoted and escaped text in a pattern says nothing about its tokens.
_LITERAL = re.compile(r'"[^"]*"|\\.')
_ELAPSED_TOKEN = re.compile(r"\[(?:h+|m+|s+)\+?\]", re.IGNORECASE)


class Format(StrEnum):
    """What a number format shows of a moment."""

    DATE = "DATE"
    TIME = "TIME"
    DATETIME = "DATETIME"
    ELAPSED = "ELAPSED"


class Size(StrEnum):
    """Which part of the time line a serial number lies in."""

    ZERO = "ZERO"  # midnight, or the first day: the format tells
    TIME_OF_DAY = "TIME_OF_DAY"
    WHOLE_DAYS = "WHOLE_DAYS"
    DAYS_AND_TIME = "DAYS_AND_TIME"
    BEYOND = "BEYOND"  # outside BigQuery's calendar


_SIZES = tuple(Size)


class Look(NamedTuple):
    """What tells a column's moments apart from outside: cells of one look have one number format.

    `length` is that of the displayed text. Cells with different formats differ in it, or in what their
    numbers can mean; the formats of a look's first and last cell are read, not guessed.
    """

    length: int
    size: Size
    short: bool  # fewer days than a duration can have


def format_of(kind: str, pattern: str) -> Format:
    """What a number format shows, from its `type` and `pattern` in the Sheets API."""
    if kind == "DATE":
        return Format.DATE
    if kind != "TIME":
        return Format.DATETIME
    return Format.ELAPSED if _ELAPSED_TOKEN.search(_LITERAL.sub("", pattern)) else Format.TIME


def looks(values: Values) -> dict[Look, tuple[int, int]]:
    """The looks in a column of nothing but moments, each with the positions of its first and its last cell."""
    milliseconds = _milliseconds(values.array)
    short = pc.less(pc.abs(milliseconds), float(DAYS_OF_A_DURATION * DAY)).cast(pa.int64())
    number = pc.add(pc.multiply(_sizes(milliseconds), 2), short)
    number = pc.add(pc.multiply(pc.utf8_length(values.shown).cast(pa.int64()), 2 * len(_SIZES)), number)
    found: dict[Look, tuple[int, int]] = {}
    for each in pc.unique(number).drop_null().to_pylist():
        positions = pc.indices_nonzero(pc.equal(number, each))
        length, rest = divmod(each, 2 * len(_SIZES))
        look = Look(length, _SIZES[rest // 2], bool(rest % 2))
        found[look] = (positions[0].as_py(), positions[-1].as_py())
    return found


def kind_of(formats: Iterable[tuple[Look, Format]]) -> Kind:
    """The kind of a column in which cells of these looks have these formats."""
    kind = Kind.BLANK
    for look, shows in formats:
        kind = widen(kind, _kind_of_cell(look, shows))
    return kind


def as_array(serials: pa.Array, kind: Kind) -> pa.Array:
    """Serial numbers (NULL where blank) as an array of DATE, TIME, DATETIME or ELAPSED."""
    milliseconds = _milliseconds(serials).cast(pa.int64())
    if kind is Kind.TIME:
        return pc.multiply(milliseconds, 1000).cast(pa.time64("us"))
    if kind is Kind.ELAPSED:
        return pa.array([None if each is None else elapsed(each) for each in milliseconds.to_pylist()], pa.string())
    since_epoch = pc.subtract(milliseconds, EPOCH * DAY)
    if kind is Kind.DATE:
        return pc.divide(since_epoch, DAY).cast(pa.int32()).cast(pa.date32())
    return pc.multiply(since_epoch, 1000).cast(arrow_type(Kind.DATETIME))


def elapsed(milliseconds: int) -> str:
    """A duration as hours, minutes and seconds, not wrapped at a day: `36:30:00`, `-0:15:00`, `0:00:01.5`."""
    seconds, rest = divmod(abs(milliseconds), 1000)
    hours, seconds = divmod(seconds, 3600)
    fraction = f".{rest:03d}".rstrip("0") if rest else ""
    return f"{'-' if milliseconds < 0 else ''}{hours}:{seconds // 60:02d}:{seconds % 60:02d}{fraction}"


def milliseconds_of(serial: float) -> int:
    return round(serial * DAY)


def _milliseconds(serials: pa.Array) -> pa.DoubleArray:
    """Whole ones; as floating-point numbers, which hold more of them than 64 bits, and all that count exactly."""
    return pc.round(pc.multiply(serials.cast(pa.float64()), float(DAY)))


def _sizes(milliseconds: pa.DoubleArray) -> pa.Int64Array:
    """The number in `_SIZES` of each one's size."""
    days = pc.divide(milliseconds, float(DAY))
    whole = pc.equal(days, pc.trunc(days))
    size = pc.if_else(whole, _SIZES.index(Size.WHOLE_DAYS), _SIZES.index(Size.DAYS_AND_TIME))
    in_a_day = pc.and_(pc.greater(days, 0.0), pc.less(days, 1.0))
    size = pc.if_else(in_a_day, _SIZES.index(Size.TIME_OF_DAY), size)
    size = pc.if_else(pc.equal(days, 0.0), _SIZES.index(Size.ZERO), size)
    beyond = pc.or_(pc.less(days, float(FIRST_DAY)), pc.greater_equal(days, float(LAST_DAY + 1)))
    return pc.if_else(beyond, _SIZES.index(Size.BEYOND), size)


def _kind_of_cell(look: Look, shows: Format) -> Kind:
    if shows is Format.ELAPSED:
        return Kind.ELAPSED
    if shows is Format.TIME and look.size in (Size.ZERO, Size.TIME_OF_DAY):
        return Kind.TIME
    if shows is Format.TIME and look.short:
        return Kind.ELAPSED
    if look.size is Size.BEYOND:
        return Kind.MIXED
    # A time of day under a date format is kept, since dropping it would lose something silently.
    whole = look.size in (Size.ZERO, Size.WHOLE_DAYS)
    return Kind.DATE if shows is Format.DATE and whole else Kind.DATETIME
