"""A config's ended runs are told part by part, by when they were recorded."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.ledger.history_queries import EndedRuns
from shared.ledger.store import Store

Add = Callable[..., Any]
A_PART = 3
WHYS = ("schedule", "manual", "reset", "shadow")


def newest_first(store: Store, config_id: int) -> list[EndedRuns]:
    parts = [store.ended_runs_of(config_id, A_PART)]
    while parts[-1].older_before is not None:
        parts.append(store.ended_runs_of(config_id, A_PART, before=parts[-1].older_before))
    return parts


def oldest_first(store: Store, config_id: int, since: datetime) -> list[EndedRuns]:
    parts = [store.ended_runs_of(config_id, A_PART, after=since)]
    while parts[-1].newer_after is not None:
        parts.append(store.ended_runs_of(config_id, A_PART, after=parts[-1].newer_after))
    return parts


@pytest.mark.parametrize("seed", range(8))
def test_whichever_way_one_goes_each_run_is_told_once_in_order(
    seed: int, store: Store, add_config: Add, add_run: Add
) -> None:
    rng = random.Random(seed)
    now = store.now()
    config_id, other = add_config(), add_config("other")
    recorded: dict[str, datetime] = {}
    for hour in range(rng.randrange(1, 12)):
        # Several may be recorded at one instant, to the microsecond.
        for why in rng.sample(WHYS, rng.choice([1, 1, 1, 2, 4])):
            at = now - timedelta(hours=hour, microseconds=rng.choice([0, 1]))
            recorded[add_run(config_id, at, why, rng.choice(["succeeded", "failed", "cancelled"]))] = at
        add_run(other, now - timedelta(hours=hour))
    add_run(config_id, now + timedelta(hours=1), "manual", "pending")
    in_order = sorted(recorded, key=lambda run_id: (-recorded[run_id].timestamp(), run_id))
    parts = newest_first(store, config_id)
    assert [run.id for part in parts for run in part.runs] == in_order
    assert all(len(part.runs) >= A_PART for part in parts[:-1])
    back = oldest_first(store, config_id, now - timedelta(days=2))
    assert [run.id for part in reversed(back) for run in part.runs] == in_order


def test_beside_no_runs_there_are_none(store: Store, add_config: Add, add_run: Add) -> None:
    config_id, now = add_config(), store.now()
    assert store.ended_runs_of(config_id, A_PART) == EndedRuns([])
    add_run(config_id, now)
    assert store.ended_runs_of(config_id, A_PART, before=now) == EndedRuns([])
    assert store.ended_runs_of(config_id, A_PART, after=now) == EndedRuns([])
    assert store.ended_runs_of(config_id, A_PART, before=now + timedelta(microseconds=1)).runs != []
