"""`job_helper.py status`: the deployed job, its newest executions, and the ledger."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from commands.execution import get_job, list_executions
from commands.executions import draw_executions
from commands.exits import SUCCEEDED
from commands.moments import shown
from commands.screen import Screen
from shared.clients import Clients
from shared.ledger.store import open_store
from shared.run import Poison, Verdict
from shared.settings import Settings, has_database, read_database, read_settings

_EXECUTIONS = 5


class _LedgerStatus(msgspec.Struct, frozen=True):
    """Runs by state, the most overdue config, when the next one comes due, and messages that were not understood."""

    runs: dict[str, int]
    oldest_due: Verdict | None
    next_due: datetime | None
    not_understood: Poison | None


def show_status(environ: Mapping[str, str], screen: Screen) -> int:
    """Cloud Run's part always; the ledger's where the settings of its database are there."""
    settings, clients = read_settings(environ), Clients(environ)
    job = _show_job(settings, clients, screen)
    executions = list_executions(clients.executions, settings, _EXECUTIONS)
    screen.say()
    draw_executions(executions, screen)
    screen.say()
    ledger = None
    if has_database(environ):
        ledger = _read_ledger(environ)
        _show_ledger(ledger, screen)
    else:
        screen.say("ledger      not shown: POSTGRES_HOST, POSTGRES_DB and POSTGRES_USER are not set")
    screen.json({"job": job, "executions": executions, "ledger": ledger})
    return SUCCEEDED


def _show_job(settings: Settings, clients: Clients, screen: Screen) -> dict[str, Any]:
    job = get_job(clients.jobs, settings)
    task = job.template.template
    image = task.containers[0].image if task.containers else ""
    identity = task.service_account or "the project's default service account"
    ready = job.terminal_condition.state.name == "CONDITION_SUCCEEDED"
    screen.say(f"job         {job.name}")
    screen.say(f"state       {'ready' if ready else f'not ready: {job.terminal_condition.message}'}")
    screen.say(f"image       {image}")
    screen.say(f"runs as     {identity}")
    screen.say(f"deployed    {shown(job.update_time)} UTC")
    return {"name": job.name, "ready": ready, "image": image, "runs_as": identity, "deployed": shown(job.update_time)}


def _read_ledger(environ: Mapping[str, str]) -> _LedgerStatus:
    with open_store(read_database(environ)) as store:
        now = store.now()
        due = store.judge(now, due=True, most=1)
        return _LedgerStatus(store.count_states(), due[0] if due else None, store.next_due(now), store.poison())


def _show_ledger(ledger: _LedgerStatus, screen: Screen) -> None:
    counts = ", ".join(f"{count:,} {state}" for state, count in sorted(ledger.runs.items()))
    screen.say(f"runs        {counts or 'none yet'}")
    oldest = ledger.oldest_due
    since = f" since {shown(oldest.slot)} UTC" if oldest and oldest.slot else ""
    screen.say(f"oldest due  {f'{oldest.config_id} {oldest.name}{since}' if oldest else 'none is due'}")
    screen.say(f"next due    {f'{shown(ledger.next_due)} UTC' if ledger.next_due else 'none'}")
    screen.say(f"messages    {_told(ledger.not_understood)}")


def _told(poison: Poison | None) -> str:
    if poison is None:
        return "all were understood"
    were = f"{poison.count:,} {'was' if poison.count == 1 else 'were'} not understood"
    return f"{were} (newest {shown(poison.newest_at)} UTC: {poison.newest_reason}); `job_helper.py poison` lists them"
