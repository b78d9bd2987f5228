"""I6: what became of every message."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.checker.history import Change, Facts, History, Violation


def every_message_that_came_was_acked(history: History) -> Iterator[Violation]:
    """I6: by the function that it came to; but for those that people find among the dead letters.

    Of a message whose last delivery was refused: after the faults the arena delivers it again until one is taken.
    """
    for message in history.messages:
        if message.nacked and not (message.acked or message.swallowed or message.given_up):
            yield Violation("I6", f"message {message.message_id} of {message.topic} is refused again and again")


def a_request_by_hand_has_its_run(history: History) -> Iterator[Violation]:
    """I6: acked with effect, and the run began after the request, so that no edit is missed."""
    facts = Facts(history)
    heard = {each.message_id: each for each in history.heard}
    runs = facts.runs
    acked = _acked(history)
    for request in history.requests:
        kept = heard.get(request.message_id)
        if request.config_id is None or request.message_id not in acked:
            continue
        if kept is None or kept.verdict != "accepted" or kept.run_id not in runs:
            yield Violation("I6", f"request {request.message_id} led to no run ({kept and kept.verdict})")
            continue
        changes = runs[kept.run_id]
        if changes[0].row["config_id"] != request.config_id:
            yield Violation("I6", f"request {request.message_id} led to a run of another config")
        began = _first_claim(changes)
        if began is not None and began < request.at:
            yield Violation("I6", f"request {request.message_id} led to a run that had begun before it")


def requests_make_no_run_twice(history: History) -> Iterator[Violation]:
    """I6: a redelivery does nothing; the runs by hand of a config are at most as many as its requests."""
    facts = Facts(history)
    asked = Counter(request.config_id for request in history.requests)
    made = Counter(changes[0].row["config_id"] for changes in facts.runs.values() if changes[0].row["why"] == "manual")
    for config_id, count in made.items():
        if count > asked[config_id]:
            yield Violation("I6", f"config {config_id} was asked for {asked[config_id]} times and got {count} runs")


def poison_is_kept_with_its_reason(history: History) -> Iterator[Violation]:
    """I6: by its message's id, behind the topic's name where the product puts it there."""
    kept = {each.message_id.rpartition("/")[2]: each for each in history.heard if each.verdict == "poison"}
    acked = _acked(history)
    for request in history.requests:
        is_poison = request.config_id is None and request.message_id in acked
        if is_poison and not (kept.get(request.message_id) and kept[request.message_id].reason):
            yield Violation("I6", f"message {request.message_id} cannot be understood, and is kept nowhere")


def no_run_is_launched_that_was_not_asked_for(history: History) -> Iterator[Violation]:
    """I6: every start belongs to a claimed attempt of a recorded run."""
    claimed = {
        (str(change.row["id"]), int(change.row["attempt"]))
        for change in history.changes
        if change.kind == "run" and change.row["state"] == "launching"
    }
    for start in history.starts:
        if (start.run_id, start.attempt) not in claimed:
            yield Violation("I6", f"an execution was started for {(start.run_id, start.attempt)}, which nobody claimed")


def _acked(history: History) -> set[str]:
    return {message.message_id for message in history.messages if message.acked}


def _first_claim(changes: list[Change]) -> float | None:
    return next((change.at for change in changes if change.row["state"] == "launching"), None)
