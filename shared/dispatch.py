"""Dispatch: find due configs, record one run each, admit what fits."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared import log
from shared.admit import Publish, admit
from shared.run import Verdict
from shared.settings import Settings
from shared.store import CHUNK, RECORDED, Store

# The answer names so many of the configs that were not due; the counts cover all of them.
_NAMED = 200
# What a person has to mend: said in the log at every dispatch.
_REPORTED = ("bad_frequency", "bad_last_run", "table_conflict")


class DispatchRequest(msgspec.Struct, frozen=True):
    """The body of `POST /run`: only tell (`dry_run`), at most so many of this call's runs in flight, only these."""

    dry_run: bool = False
    max_parallel_jobs: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    config_names: list[str] | None = None


class Dispatched(msgspec.Struct, frozen=True):
    """What dispatch did: the due configs with their runs' slots, those that were not due, and counts by verdict."""

    batch: str
    at: datetime
    dry_run: bool
    due: list[Verdict]
    admitted: int
    skipped: list[Verdict]
    unknown: list[str]
    counts: dict[str, int]

    def answer(self) -> dict[str, Any]:
        """The HTTP answer: per config what was done, or why not."""
        return {
            "batch": self.batch,
            "at": self.at.isoformat(),
            "dry_run": self.dry_run,
            "recorded": 0 if self.dry_run else len(self.due),
            "admitted": self.admitted,
            "counts": self.counts,
            "due": [_told(each, done="would run" if self.dry_run else "run recorded") for each in self.due],
            "skipped": [_told(each, done=each.reason) for each in self.skipped]
            + [{"name": name, "verdict": "unknown", "told": "no config has this name"} for name in self.unknown],
        }


def dispatch(request: DispatchRequest, store: Store, publish: Publish, settings: Settings) -> Dispatched:
    """Records a run for every due config and admits what fits; with `dry_run`, only tells what it would do."""
    now = store.now()
    batch = str(uuid.uuid4())
    names = request.config_names
    counts = store.count_verdicts(now, names)
    skipped = store.judge(now, due=False, most=_NAMED, names=names)
    unknown = _unknown(store, names)
    _report(skipped)
    due: list[Verdict] = []
    if request.dry_run:
        due = store.judge(now, due=True, most=CHUNK, names=names)
        return Dispatched(batch, now, True, due, 0, skipped, unknown, counts)
    admitted = 0
    while True:
        recorded = store.record_due(now, batch, request.max_parallel_jobs, names)
        due += recorded
        for start in range(0, len(recorded), CHUNK):
            log.info("recorded", batch=batch, run_ids=[each.run_id for each in recorded[start : start + CHUNK]])
        admitted += len(admit(store, publish, settings))
        if len(recorded) < RECORDED:
            break
    log.info("dispatched", batch=batch, recorded=len(due), admitted=admitted, counts=counts)
    return Dispatched(batch, now, False, due, admitted, skipped, unknown, counts)


def _unknown(store: Store, names: Sequence[str] | None) -> list[str]:
    return sorted(set(names) - store.known_names(names)) if names else []


def _report(skipped: list[Verdict]) -> None:
    for each in skipped:
        if each.verdict in _REPORTED:
            log.warning("not_dispatched", config_id=each.config_id, verdict=each.verdict, reason=each.reason)


def _told(verdict: Verdict, done: str) -> dict[str, Any]:
    return {
        "config_id": verdict.config_id,
        "name": verdict.name,
        "verdict": verdict.verdict,
        "told": done,
        "why": verdict.why if verdict.verdict == "due" else None,
        "slot": verdict.slot.isoformat() if verdict.verdict == "due" and verdict.slot else None,
    }
