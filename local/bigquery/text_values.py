"""Text into values, as BigQuery reads CSV fields, NDJSON values and query parameters.

https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#data_types
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

INT64_RANGE = range(-(2**63), 2**63)
BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}
DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?")
INSTANT = re.compile(
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2})(?:[Tt ](?P<time>\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{1,6})?))?"
    r"\s?(?P<zone>[Zz]|UTC|[+-]\d{1,2}(?::?\d{2})?)?"
)


def value_of_text(text: str, type_: str) -> Any:
    """The Python value of a scalar's text. Raises ValueError where BigQuery would not parse it."""
    return PARSERS[type_](text)


def _integer(text: str) -> int:
    number = int(text, 10) if re.fullmatch(r"\s*[+-]?\d+\s*", text) else None
    if number is None or number not in INT64_RANGE:
        raise ValueError("not an INT64")
    return number


def _float(text: str) -> float:
    if "_" in text:
        raise ValueError("not a FLOAT64")
    return float(text)


def _boolean(text: str) -> bool:
    try:
        return BOOLEANS[text.strip().lower()]
    except KeyError as error:
        raise ValueError("not a BOOL") from error


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError("not a NUMERIC") from error
    if not number.is_finite() or "_" in text:
        raise ValueError("not a NUMERIC")
    return number


def _date(text: str) -> date:
    match = DATE.fullmatch(text.strip())
    if match is None:
        raise ValueError("not a DATE")
    return date(*map(int, match.groups()))


def _time(text: str) -> time:
    match = TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError("not a TIME")
    hour, minute, second, fraction = match.groups()
    return time(int(hour), int(minute), int(second), int((fraction or "0").ljust(6, "0")))


def _instant(text: str) -> tuple[datetime, str | None]:
    match = INSTANT.fullmatch(text.strip())
    if match is None:
        raise ValueError("neither a DATETIME nor a TIMESTAMP")
    return datetime.combine(_date(match["date"]), _time(match["time"] or "0:0:0")), match["zone"]


def _datetime(text: str) -> datetime:
    instant, zone = _instant(text)
    if zone:
        raise ValueError("a DATETIME has no time zone")
    return instant


def _timestamp(text: str) -> datetime:
    instant, zone = _instant(text)
    if zone is None or zone in ("Z", "z", "UTC"):
        return instant.replace(tzinfo=UTC)
    sign, digits = zone[0], zone[1:].replace(":", "")
    hours, minutes = (digits, "00") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    aware = datetime.strptime(f"{sign}{hours.zfill(2)}{minutes}", "%z").tzinfo
    return instant.replace(tzinfo=aware).astimezone(UTC)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _json(text: str) -> str:
    """JSON is kept in its canonical form: no spaces, the last of repeated keys."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


PARSERS: dict[str, Callable[[str], Any]] = {
    "STRING": str,
    "GEOGRAPHY": str,
    "BYTES": _bytes,
    "INTEGER": _integer,
    "FLOAT": _float,
    "BOOLEAN": _boolean,
    "NUMERIC": _decimal,
    "BIGNUMERIC": _decimal,
    "DATE": _date,
    "TIME": _time,
    "DATETIME": _datetime,
    "TIMESTAMP": _timestamp,
    "JSON": _json,
}
