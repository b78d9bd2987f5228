"""`job_helper.py watch`: what runs and waits, and what ended lately, again and again until Ctrl-C."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

import msgspec
from rich.console import Group
from rich.live import Live
from rich.text import Text

from commands.exits import INTERRUPTED, SUCCEEDED
from commands.ledger import Ledger
from commands.moments import shown
from commands.named import find_named
from commands.progress import pause_for, tell_changes
from commands.runs import short_id, step_of, trouble
from commands.screen import Screen, table_of
from shared.ledger.store import Store, open_store
from shared.run import OpenAndEnded, Run
from shared.settings import read_database
from shared.states import OPEN

# What ended longer ago is for `runs`.
_LATELY = timedelta(minutes=15)
# Of each kind that a look brings, and that a table shows where nobody scrolls.
_MOST = 100
# What is around the table on a terminal: the line above it, its heads, and the cursor's line.
_AROUND = 4
_COLUMNS = ("RUN", "CONFIG", "WHY", "STATE", "FOR", "ATTEMPT", "ROWS", "TOLD")


class Watched(msgspec.Struct, frozen=True):
    """What one look saw, and when, by the database's clock."""

    at: datetime
    runs: OpenAndEnded


def watch(names: Sequence[str], once: bool, environ: Mapping[str, str], screen: Screen) -> int:
    """Watches the runs of the configs that are named, or of all; with `once`, or for machines, it looks once.

    A database that cannot be reached any more is waited for. Raises `UnknownConfig` or `AmbiguousName`.
    """
    database = read_database(environ)
    with open_store(database) as store:
        config_ids = sorted({find_named(name, store)["id"] for name in names}) or None
        seen = _look(config_ids, store)
    if once or screen.as_json:
        _draw(seen, screen)
        screen.json(seen)
        return SUCCEEDED
    with Ledger(lambda: open_store(database), screen) as ledger:
        try:
            _follow(seen, lambda: ledger.ask(lambda store: _look(config_ids, store)), screen)
        except KeyboardInterrupt:
            screen.note("no longer watching; the runs go on")
            return INTERRUPTED


def _look(config_ids: Sequence[int] | None, store: Store) -> Watched:
    now = store.now()
    return Watched(now, store.open_and_ended(config_ids, now - _LATELY, _MOST))


def _follow(seen: Watched, look: Callable[[], Watched], screen: Screen) -> NoReturn:
    """Shows what `look` sees, a table at a terminal and a line a change elsewhere, until somebody interrupts it."""
    begun, told = time.monotonic(), dict[str, str]()
    since = seen.at
    console = screen.progress
    terminal = console.is_terminal and not console.is_dumb_terminal
    with Live(console=console, auto_refresh=False) as live:
        while True:
            if terminal:
                live.update(_picture(seen, console.height - _AROUND), refresh=True)
            else:
                runs = seen.runs
                ended = [run for run in runs.ended if run.ended_at and run.ended_at >= since]
                steps = [step_of(run) for run in (*reversed(ended), *runs.active, *runs.waiting)]
                tell_changes(steps, told, time.monotonic() - begun, screen)
            time.sleep(pause_for(sum(seen.runs.counts.values())))
            seen = look()


def _draw(seen: Watched, screen: Screen) -> None:
    screen.say(_summary(seen))
    if rows := _rows(seen, _MOST):
        screen.table(_COLUMNS, rows)


def _picture(seen: Watched, most: int) -> Group:
    return Group(Text(_summary(seen)), table_of(_COLUMNS, _rows(seen, max(1, most))))


def _summary(seen: Watched) -> str:
    """`2026-11-28 12:00:00 UTC: 2 running, 14 pending`"""
    counts = seen.runs.counts
    told = [f"{counts[state]:,} {state}" for state in reversed(OPEN) if counts.get(state)]
    return f"{shown(seen.at)} UTC: {', '.join(told) or 'nothing runs or waits'}"


def _rows(seen: Watched, most: int) -> list[tuple[Any, ...]]:
    """What goes on first; of what waits and what ended, both have a part of the room."""
    runs = seen.runs
    active = runs.active[:most]
    room = most - len(active)
    ended = runs.ended[: max(room // 2, room - len(runs.waiting))]
    waiting = runs.waiting[: room - len(ended)]
    return [_row(run, seen.at) for run in (*active, *waiting, *ended)]


def _row(run: Run, now: datetime) -> tuple[Any, ...]:
    return (
        short_id(run.id),
        f"{run.config_id} {run.config_name}",
        run.why,
        run.state,
        _for(run, now),
        run.attempt or None,
        run.rows,
        trouble(run) or (run.verdict or ""),
    )


def _for(run: Run, now: datetime) -> str:
    """How long it is in this state, or when its next attempt may come."""
    if run.state == "pending" and run.not_before > now:
        return f"in {(run.not_before - now).total_seconds():.0f} s"
    if run.ended_at:
        return f"{(now - run.ended_at).total_seconds():.0f} s ago"
    began = {"pending": run.created_at, "queued": run.admitted_at}.get(run.state, run.claimed_at)
    return f"{(now - (began or run.created_at)).total_seconds():.0f} s"
