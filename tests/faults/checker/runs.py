"""I1, I2, I5, and of I4 the clock: a run's states, its attempts, and what they led to."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.faults.checker.history import ACTIVE, DONE, ENDED, Change, Facts, History, Violation


def every_run_ends_in_one_terminal_state(history: History) -> Iterator[Violation]:
    """I1. The history is taken when there has been time enough since the last fault."""
    facts = Facts(history)
    for run_id, changes in facts.runs.items():
        states = [change.row["state"] for change in changes]
        if states[-1] not in ENDED:
            yield Violation("I1", f"run {run_id} is still {states[-1]}")
        ends = [state for state in states if state in ENDED]
        if len(set(ends)) > 1 or (ends and states[states.index(ends[0]) :] != [ends[0]] * (len(ends))):
            yield Violation("I1", f"run {run_id} went on after its end: {' → '.join(states)}")


def no_run_stands_for_what_is_to_come(history: History) -> Iterator[Violation]:
    """The schedule is PostgreSQL's clock's, and the history's times are that machine's."""
    for run_id, changes in Facts(history).runs.items():
        first = changes[0]
        for what in ("slot", "created_at"):
            if _instant(first.row[what]) > first.at + 1:
                yield Violation("I4", f"run {run_id} was recorded before its {what} had come")


def one_run_is_active_per_config_and_table(history: History) -> Iterator[Violation]:
    """I2, first half."""
    facts = Facts(history)
    active: dict[str, Change] = {}
    for change in facts.run_changes:
        run_id = str(change.row["id"])
        active.pop(run_id, None)
        if change.row["state"] not in ACTIVE:
            continue
        for other in active.values():
            for what in ("config_id", "destination"):
                if other.row[what] == change.row[what]:
                    yield Violation("I2", f"runs {other.row['id']} and {run_id} are active for one {what}")
        active[run_id] = change


def one_attempt_is_open_per_table(history: History) -> Iterator[Violation]:
    """I2, second half: an attempt is closed by a job that is done under its id, or if Cloud Run started nothing."""
    facts = Facts(history)
    opened: dict[str, list[tuple[str, int]]] = {}
    for change in facts.run_changes:
        row = change.row
        if row["state"] != "launching":
            continue
        attempt = (str(row["id"]), int(row["attempt"]))
        earlier = opened.setdefault(row["destination"], [])
        if attempt in earlier:
            continue
        for run_id, number in earlier:
            if not _is_closed(history, facts, run_id, number, before=change.at):
                yield Violation("I2", f"attempt {attempt} began while {(run_id, number)} of the same table was open")
        earlier.append(attempt)


def an_attempt_has_one_job(history: History) -> Iterator[Violation]:
    """I2: an id is unique in its location only; in two locations it would be two words of one attempt."""
    counts = Counter(job.job_id for job in history.jobs if job.labels.get("run"))
    for job_id, count in counts.items():
        if count > 1:
            yield Violation("I2", f"{count} jobs are called {job_id}")


def a_load_that_is_done_ends_as_succeeded(history: History) -> Iterator[Violation]:
    """I5."""
    facts = Facts(history)
    for job in history.jobs:
        if job.says not in DONE:
            continue
        run_id, attempt = job.labels["run"], job.labels.get("attempt")
        last = facts.runs[run_id][-1].row if run_id in facts.runs else None
        if last is None or last["state"] != "succeeded" or str(last["attempt"]) != attempt:
            told = f"{last['state']} at attempt {last['attempt']}" if last else "unknown"
            yield Violation("I5", f"the load {job.job_id} is done, but its run is {told}")


def a_success_has_its_load(history: History) -> Iterator[Violation]:
    """The other way round of I5: no run succeeds on hearsay."""
    facts = Facts(history)
    for run_id, changes in facts.runs.items():
        last = changes[-1].row
        if last["state"] != "succeeded":
            continue
        job = facts.job_of(run_id, int(last["attempt"]))
        if job is None or job.says not in DONE:
            yield Violation("I5", f"run {run_id} succeeded at attempt {last['attempt']} without a job that is done")
        elif job.ended is not None and job.ended > _ended(changes) + 0.01:
            yield Violation("I5", f"run {run_id} succeeded before its job was done")


def _is_closed(history: History, facts: Facts, run_id: str, attempt: int, before: float) -> bool:
    job = facts.job_of(run_id, attempt)
    if job is not None and job.ended is not None and job.ended <= before + 0.01:
        return True
    return not any(
        (start.run_id, start.attempt) == (run_id, attempt) and start.status < 400 for start in history.starts
    )


def _ended(changes: list[Change]) -> float:
    return next(change.at for change in changes if change.row["state"] in ENDED)


def _instant(text: Any) -> float:
    return datetime.fromisoformat(str(text)).timestamp()
