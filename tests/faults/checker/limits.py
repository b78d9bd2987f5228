"""I7: caps, quotas, and no storm of retries."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.faults.checker.history import ACTIVE, Facts, History, Violation

WINDOW = 60.0


def admitted_runs_never_exceed_the_cap(history: History) -> Iterator[Violation]:
    """I7."""
    facts = Facts(history)
    active: set[str] = set()
    for change in facts.run_changes:
        run_id = str(change.row["id"])
        (active.add if change.row["state"] in ACTIVE else active.discard)(run_id)
        if len(active) > history.max_running:
            yield Violation("I7", f"{len(active)} runs are active at {change.at}, the cap is {history.max_running}")
            return


def reserved_reads_never_exceed_the_quota(history: History) -> Iterator[Violation]:
    """I7: but for one run alone that needs more than there is. What was given back unread counts no more."""
    facts = Facts(history)
    reserved: dict[str, tuple[float, int]] = {}
    for change in facts.run_changes:
        run_id, admitted = str(change.row["id"]), change.row["admitted_at"]
        if not admitted:
            reserved.pop(run_id, None)
            continue
        is_new = reserved.get(run_id, (0.0, 0))[0] != _instant(admitted)
        reserved[run_id] = (_instant(admitted), int(change.row["reads_reserved"]))
        if not is_new:
            continue
        held = [reads for at, reads in reserved.values() if reads and at > _instant(admitted) - WINDOW]
        if sum(held) > history.reads_per_minute and len(held) > 1:
            yield Violation("I7", f"{sum(held)} reads are reserved at {change.at}, of {history.reads_per_minute}")
            return


def an_attempt_is_started_once(history: History) -> Iterator[Violation]:
    """I7: RunJob has no request id, so nobody may call it twice for an attempt."""
    calls = {(start.run_id, start.attempt, start.call) for start in history.starts}
    counts = Counter((run_id, attempt) for run_id, attempt, _ in calls)
    for attempt, count in counts.items():
        if count > 1:
            yield Violation("I7", f"RunJob was called {count} times for {attempt}")


def a_run_fails_only_so_often(history: History) -> Iterator[Violation]:
    """I7: no storm of retries."""
    facts = Facts(history)
    for run_id, changes in facts.runs.items():
        failures = int(changes[-1].row["failures"])
        if failures > history.max_attempts:
            yield Violation("I7", f"run {run_id} failed {failures} times, {history.max_attempts} are allowed")


def _instant(text: Any) -> float:
    return datetime.fromisoformat(str(text)).timestamp()
