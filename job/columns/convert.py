"""A column's cells as the type that a custom schema asks for; every cell that cannot be is named. Pure."""

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import pyarrow as pa

from job.columns.infer import Chunk, padded
from job.columns.kinds import Kind, arrow_type
from job.columns.locales import parse_number
from job.columns.moments import DAY, FIRST_DAY, LAST_DAY, milliseconds_of
from job.columns.values import Values
from shared.column import Column

_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (serial numbers have no zone)
_INT64 = range(-(2**63), 2**63)
# Digits before and behind the point of a decimal without parameters; from
# cloud.google.com/bigquery/docs/reference/standard-sql/data-types, "decimal types". BIGNUMERIC also holds some
# numbers of 39 digits before the point, which no Parquet file does.
_DIGITS = {"NUMERIC": (29, 9), "BIGNUMERIC": (38, 38)}
# One digit more than any of them has.
_WIDE = Context(prec=78)
_INT64_DIGITS = 19
# ISO 8601 with its hyphens and colons, since `0730` and `20240101` may be any number.
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
_DATE_TEXT, _TIME_TEXT = re.compile(_DATE), re.compile(_TIME)
_DATETIME_TEXT = re.compile(f"{_DATE}(?:[T ]{_TIME})?")
_TIMESTAMP_TEXT = re.compile(f"{_DATE}(?:[T ]{_TIME}(?:Z|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)?)?")
# cloud.google.com/bigquery/docs/geospatial-data#loading_geospatial_data
_SHAPES = "POINT|LINESTRING|POLYGON|MULTIPOINT|MULTILINESTRING|MULTIPOLYGON|GEOMETRYCOLLECTION"
_WKT = re.compile(rf"\s*(?:{_SHAPES})\s*(?:EMPTY|\([-+.,()\sA-Z0-9]*\))\s*", re.IGNORECASE)
_WKB = re.compile("0[01](?:[0-9A-F]{2}){4,}", re.IGNORECASE)
_GEOJSON = re.compile(r'\s*\{.*"type"\s*:', re.DOTALL)
_BOOLEANS = {"true": True, "false": False}


class Locale(msgspec.Struct, frozen=True):
    """A spreadsheet's `locale` (how its people write numbers) and `timeZone` (which its clocks show)."""

    name: str
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):  # Sheets also has names of its own, like GMT+01:00
            return ZoneInfo("UTC")


class _Unfit(Exception):
    """This cell is not what is asked for."""


def convert(values: Values, asked: Column, rows: int, locale: Locale) -> Chunk:
    """The column as `asked`, NULL where blank, in error, or in violation of it; STRING is not for this."""
    kind = Kind(asked.type)
    moments = frozenset(values.moments)
    fit = _FIT[kind]
    found: list[Any] = []
    violations: list[tuple[int, str]] = []
    for position, cell in enumerate(values.cells[:rows]):
        try:
            found.append(None if cell is None else fit(cell, position in moments, asked, locale))
        except _Unfit:
            found.append(None)
            violations.append((position, f"{_shape(cell, position in moments)} where {asked.sql_type} is expected"))
    return Chunk(kind, pa.array(padded(found, rows), arrow_type(kind)), violations=violations)


def _number(cell: Any, moment: bool, locale: Locale) -> Decimal:
    if moment or isinstance(cell, bool):
        raise _Unfit
    if isinstance(cell, str):
        parsed = parse_number(cell, locale.name)
        if parsed is None:
            raise _Unfit
        return parsed
    # repr gives the digits that a person typed, not those of the binary fraction.
    return Decimal(repr(cell))


def _int64(cell: Any, moment: bool, _asked: Column, locale: Locale) -> int:
    number = _number(cell, moment, locale)
    if not number:
        return 0
    if _digits_before_point(number) > _INT64_DIGITS:  # 1e999999999 is not to be written out
        raise _Unfit
    if number != number.to_integral_value() or int(number) not in _INT64:
        raise _Unfit
    return int(number)


def _float64(cell: Any, moment: bool, _asked: Column, locale: Locale) -> float:
    number = float(_number(cell, moment, locale))
    if not math.isfinite(number):
        raise _Unfit
    return number


def _decimal(cell: Any, moment: bool, asked: Column, locale: Locale) -> Decimal:
    """Rounded to the type's digits: a sheet's number often ends in binary noise.

    Half away from zero, as BigQuery rounds what it reads as text or in SQL; of a Parquet file it takes no digits
    that are too many.
    """
    before, behind = _DIGITS[asked.type]
    if asked.precision is not None:
        behind = asked.scale or 0
        before = asked.precision - behind
    number = _number(cell, moment, locale)
    if _digits_before_point(number) > before:
        raise _Unfit
    rounded = number.quantize(Decimal(1).scaleb(-behind), rounding="ROUND_HALF_UP", context=_WIDE)
    if _digits_before_point(rounded) > before:
        raise _Unfit
    return rounded


def _digits_before_point(number: Decimal) -> int:
    return max(number.adjusted() + 1, 0) if number else 0


def _bool(cell: Any, _moment: bool, _asked: Column, _locale: Locale) -> bool:
    found = cell if isinstance(cell, bool) else _BOOLEANS.get(str(cell).strip().lower())
    if found is None:
        raise _Unfit
    return found


def _date(cell: Any, moment: bool, _asked: Column, _locale: Locale) -> date:
    if isinstance(cell, str):
        return _parsed(date.fromisoformat, _DATE_TEXT, cell)
    found = _moment(cell, moment)
    if found.time() != time():
        raise _Unfit
    return found.date()


def _time(cell: Any, moment: bool, _asked: Column, _locale: Locale) -> time:
    if isinstance(cell, str):
        return _parsed(time.fromisoformat, _TIME_TEXT, cell)
    found_moment = _moment(cell, moment)
    if found_moment.date() != _EPOCH.date():
        raise _Unfit
    return found_moment.time()


def _datetime(cell: Any, moment: bool, _asked: Column, _locale: Locale) -> datetime:
    if isinstance(cell, str):
        return _parsed(datetime.fromisoformat, _DATETIME_TEXT, cell)
    return _moment(cell, moment)


def _timestamp(cell: Any, moment: bool, _asked: Column, locale: Locale) -> datetime:
    """The clocks of a sheet show its own time zone; text may bring another one."""
    found = _parsed(datetime.fromisoformat, _TIMESTAMP_TEXT, cell) if isinstance(cell, str) else _moment(cell, moment)
    if found.tzinfo is None:
        found = found.replace(tzinfo=locale.zone)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise _Unfit from None


def _bytes(cell: Any, _moment: bool, asked: Column, _locale: Locale) -> bytes:
    """Base64, as in BigQuery's own text formats."""
    try:
        found = base64.b64decode(_text(cell), validate=True)
    except (binascii.Error, ValueError):
        raise _Unfit from None
    if asked.max_length is not None and len(found) > asked.max_length:
        raise _Unfit
    return found


def _json(cell: Any, moment: bool, _asked: Column, _locale: Locale) -> str:
    """On one line, since a load reads JSON line by line."""
    if moment:
        raise _Unfit
    if not isinstance(cell, str):
        return msgspec.json.encode(cell).decode()
    try:
        msgspec.json.decode(cell)
        return msgspec.json.format(cell, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        raise _Unfit from None


def _geography(cell: Any, _moment: bool, _asked: Column, _locale: Locale) -> str:
    """WKT, GeoJSON or WKB in hexadecimal digits, by its looks: whether the lines meet is for BigQuery to say."""
    text = _text(cell)
    wkt = _WKT.fullmatch(text) and text.count("(") == text.count(")")
    if not wkt and not _WKB.fullmatch(text) and not _GEOJSON.match(text):
        raise _Unfit
    return text


def _text(cell: Any) -> str:
    if not isinstance(cell, str):
        raise _Unfit
    return cell


def _moment(cell: Any, moment: bool) -> datetime:
    if not moment:
        raise _Unfit
    milliseconds = milliseconds_of(cell)
    if not FIRST_DAY * DAY <= milliseconds < (LAST_DAY + 1) * DAY:
        raise _Unfit
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _parsed(parse: Callable[[str], Any], shape: re.Pattern[str], text: str) -> Any:
    """ISO 8601 text, which has one meaning in every locale; anything else would be a guess."""
    stripped = text.strip()
    if shape.fullmatch(stripped) is None:
        raise _Unfit
    try:
        return parse(stripped)
    except ValueError:
        raise _Unfit from None


def _shape(cell: Any, moment: bool) -> str:
    if moment:
        return "a date or time"
    if isinstance(cell, bool):
        return "TRUE or FALSE"
    return "text" if isinstance(cell, str) else "a number"


_FIT: Mapping[Kind, Callable[[Any, bool, Column, Locale], Any]] = {
    Kind.INT64: _int64,
    Kind.FLOAT64: _float64,
    Kind.NUMERIC: _decimal,
    Kind.BIGNUMERIC: _decimal,
    Kind.BOOL: _bool,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.DATETIME: _datetime,
    Kind.TIMESTAMP: _timestamp,
    Kind.BYTES: _bytes,
    Kind.JSON: _json,
    Kind.GEOGRAPHY: _geography,
}
