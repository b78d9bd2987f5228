"""`job_helper.py list`: the job's newest executions."""

from collections.abc import Mapping, Sequence

from commands.execution import Execution, list_executions
from commands.exits import SUCCEEDED
from commands.moments import elapsed, shown
from commands.runs import short_id
from commands.screen import Screen
from shared.clients import Clients
from shared.settings import read_settings

_COLUMNS = ("EXECUTION", "STATE", "CONFIG", "RUN", "CREATED (UTC)", "SECONDS")


def show_executions(most: int, environ: Mapping[str, str], screen: Screen) -> int:
    settings = read_settings(environ)
    found = list_executions(Clients(environ).executions, settings, most)
    draw_executions(found, screen)
    screen.json(found)
    return SUCCEEDED


def draw_executions(executions: Sequence[Execution], screen: Screen) -> None:
    """The executions as a table; one started by hand has no run."""
    if not executions:
        screen.say("The job has no executions yet.")
        return
    rows = [
        (
            each.short_name,
            each.state,
            each.config,
            short_id(each.run_id or ""),
            shown(each.created),
            elapsed(each.started, each.ended),
        )
        for each in executions
    ]
    screen.table(_COLUMNS, rows)
