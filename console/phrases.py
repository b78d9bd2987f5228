"""How instants, spans, counts and names are written: always in the same words, with no value of a cell in them."""

import re
from datetime import UTC, datetime

from shared.run import Why

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_KILO = 1000
# Below it two units tell more than one.
_TWO_UNITS = 10
# What turns the reading order of all that follows in the same line, and what ends that.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text with a mark for each character that would turn what follows it around, as in a name within a sentence;
    a terminal gets the same (`commands.screen.printable`).
    """
    return text if text.isascii() else _TURNING.sub("\N{REPLACEMENT CHARACTER}", text)


def instant(at: datetime) -> str:
    """`2026-11-28 23:05`, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def machine_instant(at: datetime) -> str:
    """As `<time datetime>` has it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def second(at: datetime) -> str:
    """The time of day, where the day is told beside it."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def exact_instant(at: datetime) -> str:
    """As an address has it, to the microsecond."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def relative(at: datetime, now: datetime) -> str:
    """`3 min ago`, `in 2 h`, `now`."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < _MINUTE:
        return "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {_nearest(-seconds)}"


def _nearest(seconds: float) -> str:
    """As `span`, but to the nearest of its units: what is due a day after a run is due `in 24 h` seconds after it."""
    long, longest = _TWO_UNITS * _HOUR, _TWO_UNITS * _DAY
    unit = _MINUTE if seconds < long else _HOUR if seconds < longest else _DAY
    rounded = round(seconds / unit) * unit
    return "24 h" if rounded == _DAY else span(rounded)


def span(seconds: float) -> str:
    """A length of time for people: `45 s`, `3 min`, `2 h 10 min`, `3 d`."""
    for unit, name, smaller, smaller_name in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min")):
        if seconds >= unit:
            whole, rest = divmod(int(seconds), unit)
            parts = rest // smaller
            return f"{whole} {name} {parts} {smaller_name}" if whole < _TWO_UNITS and parts else f"{whole} {name}"
    return f"{int(seconds // _MINUTE)} min" if seconds >= _MINUTE else f"{int(seconds)} s"


def duration(seconds: float) -> str:
    """How long a run took: `0.8 s`, `12 s`, `3 min 20 s`."""
    if seconds < _TWO_UNITS:
        return f"{seconds:.1f} s"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest} s" if minutes < _TWO_UNITS and rest else span(seconds)


def number(count: int) -> str:
    """`12,345`."""
    return f"{count:,}"


def every(hours: int) -> str:
    """A frequency: `every 4 h`, `every day`, `manual only`."""
    if hours == 0:
        return "manual only"
    days, rest = divmod(hours, 24)
    if days and not rest:
        return "every day" if days == 1 else f"every {days} days"
    return "every hour" if hours == 1 else f"every {hours} h"


def why(reason: Why) -> str:
    """What a run was recorded for."""
    return {
        "schedule": "by its schedule",
        "manual": "by hand",
        "reset": "last_run was emptied",
        "shadow": "beside the older service",
    }[reason]


def size(count: int) -> str:
    """Bytes: `980 bytes`, `12 kB`, `3.4 MB`."""
    if count < _KILO:
        return "1 byte" if count == 1 else f"{count} bytes"
    amount, unit = count / _KILO, "kB"
    for larger in ("MB", "GB"):
        if amount >= _KILO:
            amount, unit = amount / _KILO, larger
    return f"{amount:.1f} {unit}" if amount < _TWO_UNITS else f"{amount:,.0f} {unit}"
