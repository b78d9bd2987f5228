"""`migrate.py costs`: time, resources and cost of both systems, side by side."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from commands.exits import SUCCEEDED
from commands.moments import shown
from commands.screen import Screen
from migration.costs import Billed, Costs, Side, billed, compare_costs
from migration.metrics import ENDPOINT, Used, used
from migration.prices import Prices
from migration.sizes import Size, parse_size, size_of
from shared.clients import UNANSWERED
from shared.errors import InvalidInput, SyncError
from shared.settings import read_migrating
from shared.usage import JobUse, ServiceUse
from shared.wiring import Wiring

_COLUMNS = ("", "SERVICE", "JOB", "SHADOW")
# What the guide gives an instance; the service's own is a flag.
_SERVICE_SIZE = "1/1Gi"
_Span = tuple[datetime, datetime]


class _Measured(msgspec.Struct):
    """What Google tells of both, as far as it may be asked, and why not of the rest."""

    notes: list[str]
    job_size: Size = Size()
    job: Used | None = None
    service: Used | None = None
    billed: Billed | None = None


def show_costs(
    days: int,
    prices: Sequence[str],
    service_size: str | None,
    with_cloud: bool,
    environ: Mapping[str, str],
    screen: Screen,
) -> int:
    """Both systems in the last days: from the ledger, and with the cloud from its metrics and BigQuery's jobs.

    Raises `InvalidInput` for a price or a size that is none.
    """
    priced, size = _prices(prices), _size(service_size or _SERVICE_SIZE)
    wiring = Wiring(environ)
    with wiring.store() as store:
        until = store.now()
        span = until - timedelta(days=days), until
        measured = _ask(span, read_migrating(environ).service, wiring) if with_cloud else _Measured([])
        costs = compare_costs(
            store,
            span,
            priced,
            job_size=measured.job_size,
            service_size=size,
            job_used=measured.job,
            service_used=measured.service,
            job_billed=measured.billed,
            notes=tuple(measured.notes),
        )
    _draw(costs, screen)
    screen.json(costs)
    return SUCCEEDED


def _prices(given: Sequence[str]) -> Prices:
    known = {field.name for field in msgspec.structs.fields(Prices)}
    changed: dict[str, float] = {}
    for each in given:
        name, _, price = each.partition("=")
        try:
            changed[name] = float(price)
        except ValueError:
            name = ""
        if name not in known or not changed[name] >= 0:
            raise InvalidInput("--price is not NAME=DOLLARS", f"its names are {', '.join(sorted(known))}")
    return Prices(**changed)


def _size(text: str) -> Size:
    cpu, _, memory = text.partition("/")
    try:
        return parse_size(cpu, memory)
    except ValueError as error:
        raise InvalidInput("--service-size is not CPU/MEMORY", "as Cloud Run has it: 1/512Mi, or 500m/2Gi") from error


def _ask(span: _Span, service: str, wiring: Wiring) -> _Measured:
    """Each question for itself: what is refused is told, and the ledger tells the rest."""
    settings = wiring.settings
    measured = _Measured([])
    try:
        measured.job_size = size_of(wiring.clients.jobs, settings.job)
    except (SyncError, ValueError) as error:
        measured.notes.append(f"the job's size is not known, and taken for 1 CPU and 512Mi: {error}")
    try:
        client = wiring.bigquery(settings.job_project)
        measured.billed = billed(client, settings.bigquery_location, span)
    except SyncError as error:
        measured.notes.append(f"what BigQuery bills is not known: {error}")
    measured.job, told = _used(wiring, "job", settings.job_name, span)
    measured.service, told_of_service = _used(wiring, "service", service, span)
    measured.notes += dict.fromkeys(each for each in (told, told_of_service) if each)
    return measured


def _used(wiring: Wiring, kind: Any, name: str, span: _Span) -> tuple[Used | None, str | None]:
    endpoint = wiring.clients.endpoints.monitoring_api_endpoint or ENDPOINT
    try:
        return used(wiring.clients.session, wiring.settings.google_cloud_project, kind, name, span, endpoint)
    except (SyncError, *UNANSWERED) as error:
        return None, f"Cloud Monitoring cannot be asked ({type(error).__name__}): only the ledger's times are told"


def _draw(costs: Costs, screen: Screen) -> None:
    screen.say(f"from {shown(costs.since)} to {shown(costs.until)} UTC")
    job = next((each for each in costs.job_use if not each.shadow), None)
    shadow = next((each for each in costs.job_use if each.shadow), None)
    screen.table(_COLUMNS, [*_done(costs.service_use, job, shadow), *_taken(costs.service, costs.job)])
    for side, name in ((costs.service, "service"), (costs.job, "job")):
        how = (
            "as Cloud Monitoring measured it"
            if side.measured
            else "reckoned from the ledger's times, without idle time"
        )
        screen.say(f"the {name}'s: {how}")
    screen.say("The job's resources and cost are those of its shadow runs, too. Prices are parameters: --price.")
    for note in costs.notes:
        screen.say(note)


def _done(service: ServiceUse, job: JobUse | None, shadow: JobUse | None) -> list[tuple[str, ...]]:
    """What was done: the older service's messages beside the job's runs, and those of shadows."""
    failed = service.failed + service.unanswered
    columns: list[tuple[int, int, float, float] | None] = [
        (service.messages, failed, service.middle_seconds, service.slow_seconds),
        *((each.runs, each.failed, each.middle_seconds, each.slow_seconds) if each else None for each in (job, shadow)),
    ]
    rows = zip(*(_texts(*column) if column else ("",) * 4 for column in columns), strict=True)
    heads = ("loads", "failed", "seconds, median", "seconds, 95 % below")
    return [(head, *row) for head, row in zip(heads, rows, strict=True)]


def _texts(loads: int, failed: int, middle: float, slow: float) -> tuple[str, ...]:
    return f"{loads:,}", f"{failed:,}", f"{middle:,.1f}", f"{slow:,.1f}"


def _taken(service: Side, job: Side) -> list[tuple[str, ...]]:
    """What that took, and what it costs."""
    return [
        ("instance seconds", f"{service.instance_seconds:,.0f}", f"{job.instance_seconds:,.0f}", ""),
        ("CPU seconds", f"{service.cpu_seconds:,.0f}", f"{job.cpu_seconds:,.0f}", ""),
        ("GiB seconds", f"{service.gib_seconds:,.0f}", f"{job.gib_seconds:,.0f}", ""),
        ("compute, $", f"{service.compute_cost:,.2f}", f"{job.compute_cost:,.2f}", ""),
        ("BigQuery, $", f"{service.query_cost:,.2f}", f"{job.query_cost:,.2f}", ""),
        ("cost, $", f"{service.cost:,.2f}", f"{job.cost:,.2f}", ""),
    ]
