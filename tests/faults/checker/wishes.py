"""What people wish, and what the product does for them: cancel, pause, resume, and the automatic pause."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.faults.checker.history import Change, Facts, History, Violation

# A statement that began before a person's may still be writing.
SAME_TIME = 2.0


def a_cancelled_run_ends_without_another_attempt(history: History) -> Iterator[Violation]:
    """As `cancelled`, or as `succeeded` where its load was faster than the wish; I5 has loads of cancelled runs."""
    for run_id, changes in Facts(history).runs.items():
        after = [change for change in changes if change.row.get("cancel_requested_at")]
        if not after:
            continue
        if after[-1].row["state"] not in ("cancelled", "succeeded"):
            yield Violation("Cancel", f"run {run_id} was to be cancelled and is {after[-1].row['state']}")
        if after[-1].row["attempt"] > after[0].row["attempt"]:
            yield Violation("Cancel", f"run {run_id} made another attempt after it was cancelled")


def a_paused_config_begins_nothing(history: History) -> Iterator[Violation]:
    """No scheduled run is recorded, and no attempt of any run is claimed."""
    facts = Facts(history)
    paused: dict[Any, float] = {}
    begun: set[tuple[str, int]] = set()
    for change in sorted(facts.config_changes + facts.run_changes, key=lambda each: each.seq):
        row = change.row
        if change.kind == "config":
            if row.get("is_active", True):
                paused.pop(row["id"], None)
            else:
                paused.setdefault(row["id"], change.at)
            continue
        step = (str(row["id"]), int(row["attempt"]))
        begins = row["state"] == "launching" or (row["why"] in ("schedule", "reset") and row["attempt"] == 0)
        if not begins or step in begun:
            continue
        begun.add(step)
        if change.at > paused.get(row["config_id"], change.at) + SAME_TIME:
            yield Violation("Pause", f"run {row['id']} of config {row['config_id']} began although that is paused")


def a_config_is_paused_after_so_many_permanent_failures(history: History) -> Iterator[Violation]:
    """Exactly then: its runs in the order in which they were recorded, since it was last paused."""
    if not history.pause_after:
        return
    facts = Facts(history)
    pauses = {(change.row["id"], change.transaction) for change in facts.pauses}
    ended: dict[Any, dict[str, Mapping[str, Any]]] = {}
    configs: dict[Any, list[Change]] = {}
    due = set()
    for change in sorted(facts.config_changes + facts.told_changes, key=lambda each: each.seq):
        row = change.row
        if change.kind == "config":
            configs.setdefault(row["id"], []).append(change)
            continue
        if not _tells(row):
            continue
        runs, of_config = ended.setdefault(row["config_id"], {}), configs.get(row["config_id"], [])
        # In the same transaction the config may have been paused already.
        before = [each for each in of_config if each.transaction != change.transaction]
        was_permanent = runs.get(row["id"], {}).get("permanent", False)
        runs[row["id"]] = row
        what = (row["config_id"], change.transaction)
        if not row.get("permanent") or was_permanent or not before or change.at - before[-1].at < SAME_TIME:
            if what in pauses:
                due.add(what)
            continue
        if before[-1].row["is_active"] and _streak(runs, before[-1].row.get("paused_at")) >= history.pause_after:
            due.add(what)
            if what not in pauses:
                yield Violation("Pause", f"config {what[0]} goes on after {history.pause_after} permanent failures")
    for config_id, _ in pauses - due:
        yield Violation("Pause", f"config {config_id} was paused before {history.pause_after} permanent failures")


def _tells(row: Mapping[str, Any]) -> bool:
    return row["why"] != "shadow" and row["state"] in ("succeeded", "failed")


def _streak(runs: Mapping[str, Mapping[str, Any]], paused_at: Any) -> int:
    """How many of a config's newest runs failed permanently, without one between that did not."""
    since = _instant(paused_at) if paused_at else 0.0
    count = 0
    for row in sorted(runs.values(), key=lambda each: _instant(each["created_at"]), reverse=True):
        if _instant(row["ended_at"]) <= since:
            continue
        if not row.get("permanent"):
            break
        count += 1
    return count


def _instant(text: Any) -> float:
    return datetime.fromisoformat(str(text)).timestamp()
