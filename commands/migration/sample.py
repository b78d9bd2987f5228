"""Rows that differ, as a person at a terminal sees them: the only place where the migration shows values."""

from typing import Any

import msgspec

from commands.screen import Screen
from migration.sample import Differing, Sample

# Of one side of a row; a cell may hold 50,000 characters.
_LONGEST = 500


def show_sample(sample: Sample, screen: Screen) -> None:
    """A table with a line a row: what the service has in it, and what the job."""
    if not sample.rows:
        return
    first = f"{sample.key} (KEY)" if sample.key else "TIMES"
    screen.table((first, "THE SERVICE'S", "THE JOB'S"), [_row(each) for each in sample.rows])


def _row(differing: Differing) -> tuple[str, str, str]:
    times = f"{differing.service_times} : {differing.job_times}"
    return (differing.key or times, _side(differing.service), _side(differing.job))


def _side(values: dict[str, Any] | None) -> str:
    if values is None:
        return "no such row"
    text = msgspec.json.encode(values).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
