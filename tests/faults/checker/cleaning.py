"""What is deleted by its age: nothing that is young or asked for still, and in the end all the rest."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.faults.checker.history import Facts, History, Violation

DAY = 86_400.0
Row = Mapping[str, Any]


def cleaning_deletes_nothing_that_is_asked_for(history: History) -> Iterator[Violation]:
    """Nothing younger than the limit, and of a config that is there neither the newest run nor the newest load."""
    facts = Facts(history)
    configs = {change.row["id"] for change in facts.config_changes}
    kept: dict[str, Row] = {}
    for change in sorted(history.changes, key=lambda each: each.seq):
        row = change.row
        if change.kind == "message gone" and _instant(row["received_at"]) > change.at - history.kept_days * DAY:
            yield Violation("Cleaning", f"message {row['message_id']} was deleted before its time")
        if change.kind == "run":
            kept[str(row["id"])] = row
        if change.kind != "run gone":
            continue
        if not row["ended_at"] or _instant(row["ended_at"]) > change.at - history.kept_days * DAY:
            yield Violation("Cleaning", f"run {row['id']} was deleted before its time")
        if row["config_id"] in configs and str(row["id"]) in _asked_for(kept.values(), row["config_id"]):
            yield Violation("Cleaning", f"run {row['id']} was deleted, although it is asked for still")
        kept.pop(str(row["id"]), None)


def cleaning_deletes_the_rest(history: History) -> Iterator[Violation]:
    """The history is taken when sweeps have had the time for it."""
    facts = Facts(history)
    configs = {change.row["id"] for change in facts.config_changes}
    now = max((change.at for change in history.changes), default=0.0)
    kept: dict[str, Row] = {}
    for change in sorted(history.changes, key=lambda each: each.seq):
        if change.kind == "run":
            kept[str(change.row["id"])] = change.row
        elif change.kind == "run gone":
            kept.pop(str(change.row["id"]), None)
    before = now - history.kept_days * DAY
    for run_id, row in kept.items():
        is_old = row["ended_at"] and _instant(row["ended_at"]) < before
        if is_old and not (row["config_id"] in configs and run_id in _asked_for(kept.values(), row["config_id"])):
            yield Violation("Cleaning", f"run {run_id} ended long ago and is there still")
    for each in history.heard:
        if each.at is not None and each.at < before:
            yield Violation("Cleaning", f"message {each.message_id} came long ago and is there still")


def _asked_for(rows: "Sequence[Row] | Any", config_id: Any) -> set[str]:
    """A config's newest run, its newest scheduled one, and the newest load of its table and of its shadow."""
    own = [row for row in rows if row["config_id"] == config_id]
    loads = [row for row in own if row.get("verdict") == "loaded"]
    newest = (
        _newest([row for row in own if row["ended_at"] and row["why"] != "shadow"], "created_at"),
        _newest([row for row in own if row["why"] == "schedule"], "slot"),
        *(
            _newest([row for row in loads if (row["why"] == "shadow") == shadow], "ended_at")
            for shadow in (False, True)
        ),
    )
    return {str(row["id"]) for row in newest if row}


def _newest(rows: Sequence[Row], by: str) -> Row | None:
    return max(rows, key=lambda row: _instant(row[by]), default=None)


def _instant(text: Any) -> float:
    return datetime.fromisoformat(str(text)).timestamp()
