"""Dispatch: find due configs, record one run each, admit what fits."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared import log
from shared.admit import Publish, admit
from shared.failpoints import failpoint
from shared.ledger.store import CHUNK, RECORDED, Store
from shared.run import Verdict
from shared.settings import Settings

# The answer names so many of the configs that were due, and of those that were not; the counts cover all of them.
_NAMED = 200
# What a person has to mend: said in the log at every dispatch.
_REPORTED = ("bad_frequency", "bad_last_run", "table_conflict")


class DispatchRequest(msgspec.Struct, frozen=True):
    """The body of `POST /run`: only tell (`dry_run`), at most so many of this call's runs in flight, only these."""

    dry_run: bool = False
    max_parallel_jobs: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    config_names: list[str] | None = None


class Dispatched(msgspec.Struct, frozen=True):
    """What dispatch did: how many runs it recorded and admitted, the first of the due configs with their runs' slots,
    the first of those that were not due, and how many have which verdict.
    """

    batch: str
    at: datetime
    dry_run: bool
    due: list[Verdict]
    recorded: int
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
            "recorded": self.recorded,
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
    unknown = _unknown(store, names)
    if request.dry_run:
        told = store.tell(now, _NAMED, names)
        _report(told.skipped)
        due = store.judge(now, due=True, most=CHUNK, names=names)
        return Dispatched(batch, now, True, due, 0, 0, told.skipped, unknown, told.counts)
    due, recorded, admitted = [], 0, 0
    while True:
        found = store.record_due(now, batch, request.max_parallel_jobs, names, _NAMED - len(due))
        failpoint("dispatch.after_record")
        due += found.named
        recorded += found.count
        if found.count:
            log.info("recorded", batch=batch, runs=found.count)
        admitted += admit(store, publish, settings)
        if found.count < RECORDED:
            break
    # After the runs are on their way: it takes longer than all the rest where there are many configs.
    told = store.tell(now, _NAMED, names, recorded_by=batch)
    _report(told.skipped)
    log.info("dispatched", batch=batch, recorded=recorded, admitted=admitted, counts=told.counts)
    return Dispatched(batch, now, False, due, recorded, admitted, told.skipped, unknown, told.counts)


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
