"""What people were told: every bad end and every recovery, once, and nothing that did not happen."""

from collections.abc import Iterator

from tests.faults.checker.history import Change, Facts, History, Violation

# Of runs that end so close to one another, nobody can say which came first.
SAME_TIME = 1.0


def people_hear_of_every_bad_end_and_recovery(history: History) -> Iterator[Violation]:
    """By every channel. The history is taken when there has been time enough to try again."""
    told = {(telling.channel, telling.run_id, telling.kind) for telling in history.told}
    for run_id, kind in _news(Facts(history)):
        for channel in history.channels:
            if (channel, run_id, kind) not in told:
                yield Violation("Notices", f"{channel} was never told that run {run_id} {kind}")


def people_hear_of_nothing_twice(history: History) -> Iterator[Violation]:
    """But where the sender could not know: the answer was lost, it was killed, or it could not note it."""
    before: dict[tuple[str, str, str], float] = {}
    for telling in sorted(history.told, key=lambda each: each.at):
        what = (telling.channel, telling.run_id, telling.kind)
        known = before.pop(what, None)
        if known is not None and not _trouble(history, known, telling.at):
            yield Violation("Notices", f"{telling.channel} was told twice that run {telling.run_id} {telling.kind}")
        if telling.heard:
            before[what] = telling.at


def people_hear_only_what_happened(history: History) -> Iterator[Violation]:
    """And not before it has."""
    facts = Facts(history)
    for telling in history.told:
        ends = [change for change in facts.runs.get(telling.run_id, ()) if change.row["ended_at"]]
        states = {change.row["state"] for change in ends if change.at <= telling.at + 0.01}
        if ("succeeded" if telling.kind in ("recovered", "succeeded") else "failed") not in states:
            yield Violation("Notices", f"{telling.channel} was told that run {telling.run_id} {telling.kind}")


def _news(facts: Facts) -> Iterator[tuple[str, str]]:
    """Each run that ended so that people have to hear of it, with what they hear."""
    paused = {change.transaction for change in facts.pauses}
    for run_id, changes in facts.runs.items():
        last = changes[-1]
        if last.row["why"] == "shadow":
            continue
        if last.row["state"] == "failed":
            yield run_id, "paused" if any(change.transaction in paused for change in changes) else "failed"
        elif last.row["state"] == "succeeded" and _is_recovery(facts, changes):
            yield run_id, "recovered"


def _is_recovery(facts: Facts, changes: list[Change]) -> bool:
    """Whether the run before it, of those that had loaded or failed by then, failed."""
    row, at = changes[-1].row, next(change.at for change in changes if change.row["ended_at"])
    newest: Change | None = None
    for change in facts.told_changes:
        other = change.row
        if other["config_id"] != row["config_id"] or other["id"] == row["id"] or other["why"] == "shadow":
            continue
        if other["state"] not in ("failed", "succeeded") or change.at > at + SAME_TIME:
            continue
        if abs(change.at - at) <= SAME_TIME:
            return False
        if newest is None or other["created_at"] >= newest.row["created_at"]:
            newest = change
    return newest is not None and newest.row["state"] == "failed"


def _trouble(history: History, after: float, before: float) -> bool:
    return any(began <= before and ended >= after - 1 for began, ended in history.troubles)
