"""`job_helper.py show`: all that is known of one run, as the console's page of it tells as well."""

from collections.abc import Iterator, Mapping

from commands.exits import SUCCEEDED
from commands.moments import shown
from commands.runs import find_run, short_id
from commands.screen import Screen
from shared.counted import counted
from shared.errors import InvalidInput
from shared.ledger.store import open_store
from shared.run import Run
from shared.run_facts import RunFacts, Told, find_facts
from shared.settings import read_database

_COLUMNS_TOLD = 40


def show_run(wanted: str, environ: Mapping[str, str], screen: Screen) -> int:
    """Raises `InvalidInput` where no run's id, or more than one, begins like that."""
    with open_store(read_database(environ)) as store:
        facts = find_facts(find_run(wanted, store).id, store)
    if facts is None:  # cleaned away between the two questions
        raise InvalidInput("no run's id begins like that", "`job_helper.py runs` shows them")
    for label, line in _lines(facts):
        screen.say(f"{label:<12}{line}".rstrip())
    screen.json(facts)
    return SUCCEEDED


def _lines(facts: RunFacts) -> Iterator[tuple[str, str]]:
    """Lines with a label, which is blank where a line goes on with what is above it."""
    run = facts.run
    yield "run", run.id
    yield "config", f"{run.config_id} {run.config_name}"
    yield "table", run.destination
    yield "why", f"{run.why}, for {shown(run.slot)} UTC"
    yield "state", _state(facts)
    if outcome := _outcome(run):
        yield "outcome", outcome
    if facts.error:
        yield from _told("error", facts.error, f"{run.error_class}: ")
    if facts.remedy:
        yield from _told("remedy", facts.remedy)
    for warning in facts.warnings:
        yield from _told("warning", warning)
    for wait in facts.waits:
        seconds = f"{wait.seconds:,} s" if wait.seconds is not None else "goes on"
        yield wait.name, f"{seconds}, since {shown(wait.since)} UTC"
    if facts.stages:
        yield "stages", ", ".join(f"{stage.name} {stage.seconds:,} s" for stage in facts.stages)
    yield from _schema(facts)
    yield from _links(facts)


def _state(facts: RunFacts) -> str:
    run = facts.run
    told = f"{run.state}, attempt {run.attempt}" if run.attempt else run.state
    if run.state == "pending":
        told += f", not before {shown(run.not_before)} UTC"
    if run.cancel_requested_at:
        told += f"; cancel asked at {shown(run.cancel_requested_at)} UTC"
    if facts.cancelled_by:
        told += f" by {facts.cancelled_by}"
    return told


def _outcome(run: Run) -> str:
    told = [run.verdict] if run.verdict else []
    told += ["the table stayed as it was"] if run.ended_at and run.loaded_nothing else []
    told += [counted(run.rows, "row")] if run.rows is not None else []
    told += [f"{counted(run.bytes, 'byte')} uploaded"] if run.bytes is not None else []
    if run.requests is not None:
        told.append(f"{counted(run.requests, 'request')}, {run.sheet_reads or 0:,} of them counted by the Sheets quota")
    return ", ".join(told)


def _told(label: str, told: Told, before: str = "") -> Iterator[tuple[str, str]]:
    yield label, f"{before}{told.text}"
    for cell in told.cells:
        yield "", f"{cell.cell}  {cell.link}" if cell.link else cell.cell


def _schema(facts: RunFacts) -> Iterator[tuple[str, str]]:
    columns = facts.columns
    if columns:
        yield "columns", f"{len(columns):,}"
        for column in columns[:_COLUMNS_TOLD]:
            yield "", f"{column.name} {column.told}"
        if (more := len(columns) - _COLUMNS_TOLD) > 0:
            yield "", f"… and {more:,} more (--json has all)"
    former = facts.former
    if former and former.columns and columns:
        since = f"since run {short_id(former.id)} of {shown(former.ended_at)} UTC"
        yield "changes", f"{counted(len(facts.changes), 'column')} {since}" if facts.changes else f"none {since}"
    elif facts.changes:
        yield "changes", "against the table as it was"
    for change in facts.changes:
        yield "", change.told


def _links(facts: RunFacts) -> Iterator[tuple[str, str]]:
    links = facts.links
    named = {
        "spreadsheet": links.spreadsheet,
        "table at": links.table,
        "job at": links.job,
        "execution": links.execution,
        "logs": links.logs,
    }
    return ((name, link) for name, link in named.items() if link)
