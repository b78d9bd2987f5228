"""The overview's order is that of what it shows, whatever states configs and their runs are in."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from shared.ledger.console_statements import CONFIG_STATES, Sort
from tests.integration.console.conftest import Reader, attempt_at

Add = Callable[..., Any]
# Fifty make a page.
CONFIGS = 50
HOURS = [None, 0, 1, 4, 24, 24, 168, -1, 900_000]
AGES = [0.2, 0.9, 2, 5, 23, 25, 26, 47, 49, 100, 200, 2000]
ODD_LAST_RUNS = ["infinity", "-infinity", "1800-01-01 00:00+00", "9999-12-31 12:00+00", "294000-01-01 00:00+00"]
MARKS = ["job_ready"] * 6 + ["shadow", "service", None]
WARNINGS = [None, "null", "{}", "[]", '["w"]', '["w", "x", "y"]']
ROWS = [None, 0, 7, 7, 1000, 2**40]


def freshness(row: dict[str, Any]) -> Any:
    """The latest first, then what is fresh; the others have none."""
    return -row["late_seconds"] if row["freshness"] == "late" else 1 if row["freshness"] == "fresh" else None


# What a column shows, None where it shows that there is no such thing.
SHOWN: dict[Sort, Callable[[dict[str, Any]], Any]] = {
    "state": lambda row: CONFIG_STATES.index(row["state"]),
    "name": lambda row: row["name"].lower(),
    "freshness": freshness,
    "last": lambda row: _instant(row["ended_at"]),
    "next": lambda row: _instant(row["next_at"]),
    "rows": lambda row: row["rows"],
    "seconds": lambda row: row["seconds"],
    "warnings": lambda row: row["warnings"],
}


def _instant(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None


def _add_wild_config(rng: random.Random, number: int, now: datetime, add_config: Add, add_run: Add) -> None:
    scheduled = rng.choice([None, *(now - timedelta(hours=age) for age in AGES)])
    config_id = add_config(
        rng.choice(["", "same", "Same", f"c{number}"]),
        bigquery_table_id=rng.choice(["shared", *(f"t{number}",) * 9]),
        is_active=rng.choice([True] * 9 + [False]),
        run_frequency_hours=rng.choice(HOURS),
        last_run=scheduled if rng.random() < 0.8 else rng.choice([None, *ODD_LAST_RUNS]),
        scheduled_run=scheduled,
        migration_status=rng.choice(MARKS),
    )
    for age in rng.sample(AGES, rng.choice([0, 1, 2, 3, 5])):
        slot = now - timedelta(hours=age)
        state = rng.choice(["succeeded", "succeeded", "failed", "cancelled"])
        add_run(
            config_id,
            slot,
            rng.choice(["schedule", "manual", "shadow"]),
            state,
            verdict=rng.choice(["loaded", "loaded", "unchanged", "kept"]) if state == "succeeded" else None,
            rows=rng.choice(ROWS) if state == "succeeded" or rng.random() < 0.2 else None,
            claimed_at=rng.choice([None, slot - timedelta(seconds=rng.choice([1, 1, 30, 4000]))]),
            warnings=rng.choice(WARNINGS),
        )
    if rng.random() < 0.2:
        running = {"state": "running", "destination": f"p.d.open{number}", **attempt_at(now)}
        add_run(config_id, now, "manual", **rng.choice([{"state": "pending"}, running]))


@pytest.mark.parametrize("seed", range(4))
def test_every_column_sorts_by_what_it_shows(
    seed: int, reader: Reader, add_config: Add, add_run: Add, now: datetime, sql: Add
) -> None:
    rng = random.Random(seed)
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status varchar(20)")
    for number in range(CONFIGS):
        _add_wild_config(rng, number, now, add_config, add_run)
    assert SHOWN.keys() == set(get_args(Sort))
    for sort, shown in SHOWN.items():
        for order in ("up", "down"):
            rows = reader.facts(sort=sort, order=order)["configs"]
            values = [shown(row) for row in rows]
            there = [value for value in values if value is not None]
            assert len(rows) == CONFIGS
            assert len(set(there)) > 1, (sort, "has to be told apart")
            # What is missing comes last either way.
            assert values[: len(there)] == sorted(there, reverse=order == "down"), (sort, order)
            if sort != "freshness":  # of those that are fresh, the next to be late comes first
                ties = [(value is None, value, row["id"]) for value, row in zip(values, rows, strict=True)]
                assert [tie[2] for tie in ties] == [tie[2] for tie in _with_ties_by_id(ties)], (sort, order)


def _with_ties_by_id(ties: list[tuple[bool, Any, int]]) -> list[tuple[bool, Any, int]]:
    """As they are, but for equals, which come by their ids."""
    firsts = {tie[:2]: place for place, tie in reversed(list(enumerate(ties)))}
    return sorted(ties, key=lambda tie: (firsts[tie[:2]], tie[2]))
