"""`job_helper.py execute`: one execution of the job for a config file, without the ledger."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.api_core import exceptions

from commands.config_file import read_config_file
from commands.execution import Execution, get_execution, why_failed
from commands.exits import FAILED, INTERRUPTED, SUCCEEDED, TIMED_OUT
from commands.moments import elapsed
from commands.progress import Step, WaitedLongEnough, follow
from commands.screen import Screen
from shared.asking import BRIEF_RETRY, SECONDS
from shared.clients import Clients
from shared.config import Config, config_environment
from shared.counted import counted
from shared.errors import ServiceUnavailable, SyncError
from shared.executions import Executions, LaunchUnknown
from shared.ledger.store import open_store
from shared.settings import Settings, read_database, read_settings

# Cloud Run ends the task at its time-out; its start comes before that.
_SECONDS_TO_START = 120


def execute(path: Path, wait: bool, seconds: float | None, environ: Mapping[str, str], screen: Screen) -> int:
    """Starts the job for the file's config and waits for its end, `seconds` at most.

    The job gets no run id: it is outside the ledger and its promises, and so the person is told where a config
    owns the table.
    """
    config = read_config_file(path).config
    settings = read_settings(environ)
    clients = Clients(environ)
    _warn_of_owner(config, environ, screen)
    name = _start(Executions(clients.jobs, clients.executions, settings.job), config, settings)
    screen.note(f"{name.rpartition('/')[2]} started: {config.destination} from {path}")
    if not wait:
        screen.say(f"execution: {name}")
        screen.say("look at it with `python job_helper.py list`")
        screen.json({"execution": name, "state": "starting", "table": config.destination})
        return SUCCEEDED
    longest = seconds if seconds is not None else settings.run_timeout_seconds + _SECONDS_TO_START
    return _wait(clients, config, name, longest, screen)


def _start(executions: Executions, config: Config, settings: Settings) -> str:
    try:
        return executions.start(config_environment(config), settings.run_timeout_seconds)
    except LaunchUnknown as error:
        raise LaunchUnknown(
            error.what, "`python job_helper.py list` shows whether it runs; look before you repeat it"
        ) from error


def _wait(clients: Clients, config: Config, name: str, longest: float, screen: Screen) -> int:
    step = Step(name, config.name, "starting")

    def look() -> list[Step]:
        nonlocal step
        # Cloud Run not answering for a moment is no reason to stop waiting.
        with contextlib.suppress(ServiceUnavailable):
            step = Step(name, config.name, get_execution(clients.executions, name).state)
        return [step]

    try:
        follow(look, screen, longest)
    except WaitedLongEnough:
        screen.trouble(f"{name.rpartition('/')[2]} goes on after {longest:g} s; look with `python job_helper.py list`")
        screen.json({"execution": name, "state": step.state, "table": config.destination})
        return TIMED_OUT
    except KeyboardInterrupt:
        screen.trouble(f"{name.rpartition('/')[2]} goes on; look with `python job_helper.py list`")
        return INTERRUPTED
    return _report(get_execution(clients.executions, name), config, clients, screen)


def _report(ended: Execution, config: Config, clients: Clients, screen: Screen) -> int:
    succeeded = ended.state == "succeeded"
    rows = _rows(config, clients) if succeeded else None
    took = elapsed(ended.started, ended.ended)
    screen.say(f"{ended.short_name} {ended.state}{f' after {took:g} s' if took is not None else ''}")
    if rows is not None:
        screen.say(f"{config.destination} has {counted(rows, 'row')}")
    if not succeeded:
        screen.say(ended.message)
    if ended.state == "failed" and (why := why_failed(ended)):
        screen.say(f"why: {why}")
    screen.say(f"log: {ended.log}")
    report: dict[str, Any] = {
        "execution": ended.name,
        "state": ended.state,
        "seconds": took,
        "table": config.destination,
        "rows": rows,
        "message": ended.message,
        "log": ended.log,
    }
    screen.json(report)
    return SUCCEEDED if succeeded else FAILED


def _rows(config: Config, clients: Clients) -> int | None:
    """The table's rows now; None where this identity may start the job but not look at the table."""
    try:
        client = clients.bigquery(config.google_cloud_project_id)
        return client.get_table(config.destination, timeout=SECONDS, retry=BRIEF_RETRY).num_rows
    except (exceptions.GoogleAPIError, OSError):
        return None


def _warn_of_owner(config: Config, environ: Mapping[str, str], screen: Screen) -> None:
    """Says which configs own the table, where a database is configured and answers: `execute` needs none."""
    try:
        with open_store(read_database(environ)) as store:
            owners = store.active_of_table(config)
    except SyncError:
        return
    if owners:
        screen.trouble(
            f"warning: {config.destination} belongs to config {owners[0]}: this execution replaces it beside the"
            f" config's runs, which may replace it again; `python job_helper.py run` runs the config itself"
        )
