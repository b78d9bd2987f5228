"""Instants and durations as people read them."""

from datetime import UTC, datetime


def shown(moment: datetime | None) -> str:
    """An instant in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else ""


def elapsed(begin: datetime | None, end: datetime | None) -> float | None:
    """Seconds between two instants, to a tenth; None where one is missing."""
    return round((end - begin).total_seconds(), 1) if begin and end else None
