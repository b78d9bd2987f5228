"""`job_helper.py runs`: the ledger's newest runs, of all configs or of one."""

import re
from collections.abc import Mapping, Sequence

from commands.exits import SUCCEEDED
from commands.moments import shown
from commands.named import find_named
from commands.progress import Step
from commands.screen import Screen
from shared.errors import InvalidInput, UnknownConfig
from shared.ledger.store import Store, open_store
from shared.run import Run
from shared.settings import read_database

# A run's warnings that are told on a screen.
_WARNINGS = 5
_FEWEST_DIGITS = 8
_COLUMNS = ("RUN", "CONFIG", "WHY", "SLOT (UTC)", "STATE", "ATTEMPT", "ROWS", "SECONDS")


def show_runs(wanted: str | None, most: int, environ: Mapping[str, str], screen: Screen) -> int:
    """The newest runs first, of the config that is named, or of all. Raises `UnknownConfig` or `AmbiguousName`."""
    with open_store(read_database(environ)) as store:
        found = store.list_runs(most) if wanted is None else _list_runs_of(wanted, most, store)
    if not found:
        screen.say("There are no runs yet." if wanted is None else "There are no runs of it yet.")
    else:
        draw_runs(found, screen)
    screen.json(found)
    return SUCCEEDED


def _list_runs_of(wanted: str, most: int, store: Store) -> list[Run]:
    """A config that is gone has its runs still, by its id."""
    try:
        return store.list_runs_of(find_named(wanted, store)["id"], most)
    except UnknownConfig:
        found = store.list_runs_of(int(wanted), most) if wanted.isascii() and wanted.isdigit() else []
        if not found:
            raise
        return found


def draw_runs(runs: Sequence[Run], screen: Screen) -> None:
    """The runs as a table, and below it what went wrong, and what to look at in what was loaded.

    A retried run keeps its last trouble while it waits.
    """
    rows = [
        (
            short_id(run.id),
            f"{run.config_id} {run.config_name}",
            run.why,
            shown(run.slot),
            _state(run),
            run.attempt,
            run.rows,
            run.took,
        )
        for run in runs
    ]
    screen.table(_COLUMNS, rows)
    for run in runs:
        if told := trouble(run):
            screen.say(f"{short_id(run.id)} {run.config_name}: {told}")
        for change in run.schema_changes or ():
            screen.say(f"{short_id(run.id)} {run.config_name}: column {change.told}")
        _tell_warnings(run, screen)


def _state(run: Run) -> str:
    """With what a success was, where nothing was loaded."""
    return f"{run.state}, {run.verdict}" if run.verdict not in (None, "loaded") else run.state


def _tell_warnings(run: Run, screen: Screen) -> None:
    warnings = run.warnings or []
    for warning in warnings[:_WARNINGS]:
        screen.say(f"{short_id(run.id)} {run.config_name}: warning: {warning}")
    if (more := len(warnings) - _WARNINGS) > 0:
        screen.say(f"{short_id(run.id)} {run.config_name}: … and {more} more (`python job_helper.py runs --json`)")


def find_run(text: str, store: Store) -> Run:
    """The run that a person named by its id or the beginning of it. Raises `InvalidInput`."""
    digits = text.replace("-", "").lower()
    if not re.fullmatch(rf"[0-9a-f]{{{_FEWEST_DIGITS},32}}", digits):
        raise InvalidInput(
            f"RUN is not a run's id, nor {_FEWEST_DIGITS} digits or more of one's beginning",
            "`job_helper.py runs` shows them",
        )
    found = store.find_runs(digits)
    if not found:
        raise InvalidInput("no run's id begins like that", "`job_helper.py runs` shows them")
    if len(found) > 1:
        raise InvalidInput("more than one run's id begins like that", "`job_helper.py runs --json` has all of it")
    return found[0]


def short_id(run_id: str) -> str:
    """As much of a run's id as tells it from the others on a screen; JSON has all of it."""
    return run_id[:8]


def trouble(run: Run) -> str:
    """What went wrong in the run's last attempt; nothing for a run that succeeded."""
    return f"{run.error_class}: {run.error}" if run.error_class else ""


def step_of(run: Run) -> Step:
    """A run as something to follow."""
    return Step(run.id, run.config_name, run.state, trouble(run))
