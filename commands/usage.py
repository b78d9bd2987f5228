"""`job_helper.py usage`: what the older service's log tells of its use, and how often each config should run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from commands.exits import SUCCEEDED
from commands.moments import shown
from commands.screen import Screen
from commands.usage_log import Pattern, Requests, Usage, read_usage
from shared.errors import InvalidInput
from shared.ledger.connection import quoted
from shared.ledger.store import open_store
from shared.settings import has_database, read_database

_COLUMNS = ("ID", "NAME", "RUNS SEEN", "LAST (UTC)", "HOURS NOW", "HOURS PROPOSED")


def show_usage(logs: Path, environ: Mapping[str, str], screen: Screen) -> int:
    """Requests by the hour always; a frequency for each config where the settings of the database are there."""
    database = read_database(environ) if has_database(environ) else None
    rows: Sequence[Mapping[str, Any]] = []
    if database is not None:
        with open_store(database) as store:
            rows = store.list_configs()
    usage = read_usage(_read(logs), str(logs), rows)
    _tell_requests(usage, screen)
    screen.say()
    if database is None:
        screen.say("configs     not shown: POSTGRES_HOST, POSTGRES_DB and POSTGRES_USER are not set")
    elif not rows:
        screen.say("configs     there are none yet")
    else:
        _tell_configs(rows, usage.patterns, database.configs_table, screen)
    screen.json(usage)
    return SUCCEEDED


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise InvalidInput(f"{path} cannot be read ({problem.strerror})", "give the path of a file") from problem


def _tell_requests(usage: Usage, screen: Screen) -> None:
    requests = usage.requests
    screen.say(f"log         {usage.entries:,} entries, {shown(usage.begin)} to {shown(usage.end)} UTC")
    screen.say(f"requests    {requests.count:,}, of which {requests.failed:,} failed")
    if not requests.count:
        return
    if requests.seconds is not None:
        screen.say(f"seconds     {requests.median_seconds:.1f} in the middle, {requests.seconds:.1f} for 95 of 100")
    screen.say(f"by hour     {_hours(requests)} (UTC)")


def _hours(requests: Requests) -> str:
    busiest = max(requests.by_hour.values())
    return ", ".join(
        f"{hour:02}:00 {count:,}{' (the most)' if count == busiest else ''}" for hour, count in requests.by_hour.items()
    )


def _tell_configs(
    rows: Sequence[Mapping[str, Any]], patterns: Mapping[int, Pattern], table: str, screen: Screen
) -> None:
    screen.table(_COLUMNS, [_row(row, patterns[row["id"]]) for row in rows])
    changes = [
        (row, pattern)
        for row in rows
        if (pattern := patterns[row["id"]]).hours is not None and pattern.hours != _now(row)
    ]
    screen.say()
    if not changes:
        screen.say("Nothing to change: what was seen often enough runs as often as that.")
        return
    screen.say("-- As proposed; a config that never ran here goes on from when the service was last seen at it.")
    for row, pattern in changes:
        screen.say(_statement(table, row["id"], pattern))


def _row(row: Mapping[str, Any], pattern: Pattern) -> tuple[str | int | None, ...]:
    proposed = "too few runs to tell" if pattern.hours is None else str(pattern.hours)
    unsteady = ", not by the clock" if pattern.hours is not None and not pattern.steady else ""
    name, hours = row["name"], _now(row)
    return str(row["id"]), name, pattern.runs, shown(pattern.last), str(hours), proposed + unsteady


def _now(row: Mapping[str, Any]) -> Any:
    """Hours between runs as the due rule reads the row."""
    hours = row.get("run_frequency_hours")
    return 24 if hours is None else hours


def _statement(table: str, config_id: int, pattern: Pattern) -> str:
    """SQL for a person to copy; beside the table's name, every part of it is a number or an instant."""
    base = f"coalesce(last_run, '{pattern.last:%Y-%m-%d %H:%M}+00')"
    changed = f"run_frequency_hours = {pattern.hours}, last_run = {base}"
    return f"UPDATE {quoted(table)} SET {changed} WHERE id = {config_id};"  # noqa: S608
