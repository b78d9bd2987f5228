"""Live progress of a set of runs: a table that moves on a terminal, a line per change elsewhere."""

import contextlib
import io
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from local.runs import ENDED, RunSeen

SECONDS_BETWEEN_LOOKS = 0.2
STYLES = {"succeeded": "green", "failed": "red", "cancelled": "yellow", "running": "cyan", "pending": "dim"}


class RunsUnfinished(Exception):
    """Runs did not end in time."""


def open_console() -> Console:
    """Standard output, for a person or for a log: a check mark must not fail where the encoding has none."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def follow(
    console: Console, names: Mapping[int, str], look: Callable[[], Sequence[RunSeen]], seconds: float
) -> Sequence[RunSeen]:
    """Show the configs' runs until every config's newest run has ended, and return all runs.

    `names` are the configs' by id. Elsewhere than on a terminal, a change's time is since the call: runs' own
    times begin when each was recorded, and would not grow from line to line. Raises `RunsUnfinished` after
    `seconds`, and whatever `look` raises.
    """
    started = time.monotonic()
    shown: dict[int, str] = {}
    spinner = Spinner("dots")
    with Live(console=console, refresh_per_second=10, transient=True) as live:
        while True:
            runs = look()
            newest = {run.config_id: run for run in runs}
            if console.is_terminal and not console.is_dumb_terminal:  # which shows nothing that moves
                live.update(_table(names, newest, spinner))
            else:
                _print_changes(console, names, newest, shown, time.monotonic() - started)
            if len(newest) == len(names) and all(run.ended for run in newest.values()):
                return runs
            if time.monotonic() - started > seconds:
                raise RunsUnfinished(_unfinished(names, newest, seconds))
            time.sleep(SECONDS_BETWEEN_LOOKS)


def tell_of_stopping(console: Console) -> None:
    """Say that the processes are being stopped, which can take seconds; a terminal that is gone is no error."""
    with contextlib.suppress(OSError):
        console.print("Stopping …", style="dim")


def _table(names: Mapping[int, str], newest: Mapping[int, RunSeen], spinner: Spinner) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for config_id, name in names.items():
        run = newest.get(config_id)
        state = run.state if run else "due"
        mark = ("✔" if state == "succeeded" else "✘") if run and run.ended else spinner
        # Tenths only at the end: it is recorded a moment before it is seen, and a time must not go back.
        seconds = f"{run.seconds:.1f} s" if run and run.ended else f"{int(run.seconds)} s" if run else ""
        # What an earlier attempt failed with, while another one is awaited.
        error = run.error or "" if run else ""
        style = STYLES.get(state, "default")
        table.add_row(mark, name, Text(state, style), Text(seconds, "dim"), Text(error, "red"))
    return table


def _print_changes(
    console: Console,
    names: Mapping[int, str],
    newest: Mapping[int, RunSeen],
    shown: dict[int, str],
    seconds: float,
) -> None:
    for config_id, run in newest.items():
        if shown.get(config_id) != run.state:
            shown[config_id] = run.state
            error = f" ({run.error})" if run.error else ""
            line = f"  {seconds:5.1f} s  {names[config_id]}: {run.state}{error}"
            console.print(line, markup=False, soft_wrap=True)


def _unfinished(names: Mapping[int, str], newest: Mapping[int, RunSeen], seconds: float) -> str:
    states = {name: newest[number].state if number in newest else "not recorded" for number, name in names.items()}
    waiting = [f"{name} is {state}" for name, state in states.items() if state not in ENDED]
    return f"not all runs ended within {seconds:.0f} s: {', '.join(waiting)}"
