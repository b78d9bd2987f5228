"""I3, I4: what tables hold, and that neither they nor `last_run` go backwards."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.faults.checker.history import DONE, Change, Facts, History, Job, Rows, SheetVersion, Violation


def a_load_is_one_complete_reading(history: History) -> Iterator[Violation]:
    """I3: the rows are those of one version of the sheet, which stood there while the attempt was open."""
    facts = Facts(history)
    for job, versions in _readings(history, facts, "loaded"):
        if job.content is None:
            continue
        same = [version for version in versions if _comparable(version.rows) == _comparable(job.content)]
        if not same:
            yield Violation("I3", f"the load {job.job_id} is no version of its sheet ({len(job.content)} rows)")
        elif not job.content:
            yield Violation("I3", f"the load {job.job_id} empties its table")
        elif not any(_stood(version, facts.claimed(job), job.created) for version in same):
            yield Violation("I3", f"the load {job.job_id} is a version that was not there during its attempt")


def what_is_unchanged_is_there(history: History) -> Iterator[Violation]:
    """I3: who says so has read a version that the table holds."""
    facts = Facts(history)
    for job, versions in _readings(history, facts, "unchanged"):
        table = facts.table_of(job) or ""
        held = _held(history, facts, table, before=job.created)
        stood = [version for version in versions if _stood(version, facts.claimed(job), job.created)]
        if held is not None and not any(_comparable(version.rows) == _comparable(held) for version in stood):
            yield Violation("I3", f"{table} is not what {job.job_id} says is unchanged")


def a_table_holds_what_was_loaded(history: History) -> Iterator[Violation]:
    """I3: nothing but loads changes a table, and each load does once."""
    facts = Facts(history)
    for table, rows in history.tables.items():
        held = _held(history, facts, table)
        if held is not None and _comparable(held) != _comparable(rows):
            yield Violation("I3", f"{table} does not hold what was loaded: {len(rows)} rows, not {len(held)}")


def slots_of_a_table_never_go_backwards(history: History) -> Iterator[Violation]:
    """I4."""
    facts = Facts(history)
    for table, loads in facts.loads.items():
        newest: dict[Any, tuple[float, Job]] = {}
        for job in loads:
            if job.labels["run"] not in facts.runs:
                continue
            row = facts.runs[job.labels["run"]][-1].row
            slot, config_id = _instant(row["slot"]), row["config_id"]
            if config_id in newest and slot < newest[config_id][0]:
                yield Violation("I4", f"{table}: {job.job_id} loaded an older slot after {newest[config_id][1].job_id}")
            newest[config_id] = (slot, job)


def last_run_never_goes_backwards(history: History) -> Iterator[Violation]:
    """I4: but for what people write."""
    facts = Facts(history)
    before: dict[Any, float | None] = {}
    for change in facts.config_changes:
        config_id, last_run = change.row["id"], change.row["last_run"]
        now = _instant(last_run) if last_run else None
        former = before.get(config_id)
        if change.by != "person" and former is not None and (now is None or now < former):
            yield Violation("I4", f"config {config_id}: last_run went back to {last_run}")
        before[config_id] = now


def a_persons_null_stays(history: History) -> Iterator[Violation]:
    """I4: who nulls last_run asks for a run that begins after that; one that had begun does not move it."""
    facts = Facts(history)
    nulled: dict[Any, int] = {}
    before: dict[Any, str | None] = {}
    runs = list(facts.runs.values())
    for change in facts.config_changes:
        config_id, last_run = change.row["id"], change.row["last_run"]
        if change.by == "person" and last_run is None and before.get(config_id):
            nulled[config_id] = change.seq
        elif change.by != "person" and last_run and before.get(config_id) is None and config_id in nulled:
            claims = [_last_claim(changes) for changes in runs if _is_of(changes, config_id, last_run)]
            if claims and max(claims) < nulled[config_id]:
                yield Violation("I4", f"config {config_id}: a run that had begun overwrote a person's NULL")
        before[config_id] = last_run


def last_run_stands_for_a_load_that_is_done(history: History) -> Iterator[Violation]:
    """I4."""
    facts = Facts(history)
    slots: dict[tuple[Any, float], list[Job]] = {}
    for run_id, changes in facts.runs.items():
        row = changes[-1].row
        jobs = [facts.job_of(run_id, attempt) for attempt in range(1, int(row["attempt"]) + 1)]
        done = [job for job in jobs if job is not None and job.says in DONE]
        slots.setdefault((row["config_id"], _instant(row["slot"])), []).extend(done)
    before: dict[Any, str | None] = {}
    for change in facts.config_changes:
        config_id, last_run = change.row["id"], change.row["last_run"]
        moved = before.get(config_id) != last_run
        before[config_id] = last_run
        if change.by == "person" or not moved or not last_run:
            continue
        jobs_of_slot = slots.get((config_id, _instant(last_run)), [])
        if not any(job.ended is not None and job.ended <= change.at + 0.01 for job in jobs_of_slot):
            yield Violation("I4", f"config {config_id}: last_run moved to {last_run} before a load of it was done")


def _readings(history: History, facts: Facts, says: str) -> Iterator[tuple[Job, list[SheetVersion]]]:
    """The attempts' jobs that say so, each with the versions of its sheet."""
    for job in history.jobs:
        source = history.sources.get(facts.table_of(job) or "") if job.says == says else None
        if source is not None:
            yield job, [version for version in history.sheets if version.spreadsheet == source]


def _held(history: History, facts: Facts, table: str, before: float | None = None) -> Rows | None:
    """What the loads up to an instant make of a table; None where the content of one is not known."""
    rows: list[Mapping[str, str]] = []
    for job in facts.loads.get(table, ()):
        if before is not None and (job.ended or 0) > before:
            break
        if job.content is None:
            return None
        mode = history.modes.get(table)
        kept = rows if mode == "append" else []
        if mode == "merge":
            keys = {row["id"] for row in job.content}
            kept = [row for row in rows if row["id"] not in keys]
        rows = [*kept, *job.content]
    return rows


def _is_of(changes: list[Change], config_id: Any, slot: Any) -> bool:
    row = changes[-1].row
    return row["config_id"] == config_id and _instant(row["slot"]) == _instant(slot)


def _last_claim(changes: list[Change]) -> int:
    return max((change.seq for change in changes if change.row["state"] == "launching"), default=0)


def _stood(version: SheetVersion, began: float, ended: float) -> bool:
    return version.began <= ended and (version.ended is None or version.ended >= began)


def _comparable(rows: Rows) -> list[tuple[tuple[str, str], ...]]:
    """In any order: BigQuery's tables have none."""
    return sorted(tuple(sorted(row.items())) for row in rows)


def _instant(text: Any) -> float:
    return datetime.fromisoformat(str(text)).timestamp()
