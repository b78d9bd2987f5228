"""The due rule, as a table of examples: what happened before, and what dispatch then does at noon."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared.ledger.store import Store
from shared.run import Due, Place, Told

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)  # the day on which Europe's clocks go forward
HOUR = timedelta(hours=1)


class Example(msgspec.Struct):
    """`runs` are (why, slot, state); `slot` is expected where the config is due, `until` where it is not yet."""

    told: str
    verdict: str
    config: dict[str, Any] = {}
    runs: list[tuple[str, datetime, str]] = []
    why: str = "schedule"
    slot: datetime | None = None
    until: datetime | None = None


def ago(hours: float) -> datetime:
    return NOON - hours * HOUR


EXAMPLES = [
    Example("a new config is due now", "due", slot=NOON),
    Example("a config the older service ran is due a day later", "not_due", {"last_run": ago(20)}, until=ago(-4)),
    Example("an overdue config gets its newest slot", "due", {"last_run": ago(25)}, slot=ago(1)),
    Example("exactly at its instant it is due", "due", {"last_run": ago(24)}, slot=NOON),
    Example(
        "slots missed in an outage are not made up for",
        "due",
        {"last_run": ago(75), "run_frequency_hours": 24},
        [("schedule", ago(75), "succeeded")],
        slot=ago(3),
    ),
    Example(
        "an edited frequency counts from the newest slot",
        "due",
        {"last_run": ago(5), "run_frequency_hours": 4},
        [("schedule", ago(5), "succeeded")],
        slot=ago(1),
    ),
    Example(
        "a last_run that a person set back does not take the table back to a slot before a run by hand",
        "not_due",
        {"last_run": ago(48), "run_frequency_hours": 2},
        [("schedule", ago(3), "succeeded"), ("manual", ago(0.5), "succeeded")],
        until=ago(-1),
    ),
    Example(
        "a reset stands for no instant before that of a run which went meanwhile",
        "due",
        {"last_run": None},
        [("manual", ago(-1), "succeeded")],
        why="reset",
        slot=ago(-1) + timedelta(microseconds=1),
    ),
    Example(
        "a longer frequency makes it wait",
        "not_due",
        {"last_run": ago(5), "run_frequency_hours": 6},
        [("schedule", ago(5), "succeeded")],
        until=ago(-1),
    ),
    Example(
        "a slot that failed counts where the frequency was made longer since",
        "not_due",
        {"last_run": ago(5), "scheduled_run": ago(5), "run_frequency_hours": 24},
        [("schedule", ago(5), "succeeded"), ("schedule", ago(4), "failed")],
        until=ago(-20),
    ),
    Example(
        "last_run set to NULL by a person asks for one run",
        "due",
        {"last_run": None},
        [("schedule", ago(2), "succeeded")],
        why="reset",
        slot=NOON,
    ),
    Example(
        "NULL also asks for a run of a config that is manual only",
        "due",
        {"last_run": None, "run_frequency_hours": 0},
        [("manual", ago(2), "succeeded")],
        why="reset",
        slot=NOON,
    ),
    Example(
        "NULL after a failure is no request, so that a failing new config does not run hot",
        "not_due",
        {"last_run": None},
        [("schedule", ago(2), "failed")],
        until=ago(-22),
    ),
    Example(
        "a failed slot is over; the next one is due",
        "due",
        {"last_run": ago(49)},
        [("schedule", ago(49), "succeeded"), ("schedule", ago(25), "failed")],
        slot=ago(1),
    ),
    Example(
        "a run by hand does not move the schedule",
        "due",
        {"last_run": ago(3)},
        [("schedule", ago(26), "succeeded"), ("manual", ago(3), "succeeded")],
        slot=ago(2),
    ),
    Example(
        "a run by hand after the slot covers it",
        "not_due",
        {"last_run": ago(1)},
        [("schedule", ago(26), "succeeded"), ("manual", ago(1), "succeeded")],
        until=ago(-22),
    ),
    Example(
        "a config with an open run is not due",
        "open_run",
        {"last_run": ago(49)},
        [("schedule", ago(25), "pending")],
    ),
    Example(
        "daylight saving does not move a daily config",
        "due",
        {"last_run": datetime(2026, 3, 28, 12, 0, tzinfo=UTC)},
        [("schedule", datetime(2026, 3, 28, 12, 0, tzinfo=UTC), "succeeded")],
        slot=NOON,
    ),
    Example("frequency NULL is 24", "not_due", {"last_run": ago(23), "run_frequency_hours": None}, until=ago(-1)),
    Example("frequency 0 is manual only", "manual_only", {"last_run": ago(99), "run_frequency_hours": 0}),
    Example("a new config that is manual only is not due", "manual_only", {"run_frequency_hours": 0}),
    Example("a negative frequency is reported", "bad_frequency", {"run_frequency_hours": -1}),
    Example("a frequency that would overflow time is reported", "bad_frequency", {"run_frequency_hours": 2**31 - 1}),
    Example("a paused config is not due", "paused", {"is_active": False}),
    Example("is_active NULL is paused, as in the guide's view", "paused", {"is_active": None}),
    Example("a last_run in the future waits", "not_due", {"last_run": ago(-100)}, until=ago(-124)),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.told)
def test_due_rule(example: Example, store: Store, add_config, add_run) -> None:
    config_id = add_config(**example.config)
    for why, slot, state in example.runs:
        add_run(config_id, slot, why, state)
    found = [*store.judge(NOON, due=True, most=10), *store.judge(NOON, due=False, most=10)]
    assert [each.verdict for each in found] == [example.verdict]
    if example.verdict == "due":
        assert (found[0].why, found[0].slot) == (example.why, example.slot)
    if example.until:
        assert found[0].until == example.until


def test_a_fractional_frequency_in_a_portals_own_column_type_is_reported(store: Store, sql, add_config) -> None:
    sql("DROP VIEW active_job_configs")
    sql("ALTER TABLE sheet_to_bigquery_configs ALTER COLUMN run_frequency_hours TYPE numeric")
    add_config(run_frequency_hours=1.5)
    assert [each.verdict for each in store.judge(NOON, due=False, most=10)] == ["bad_frequency"]


@pytest.mark.parametrize(
    ("status", "verdict"), [("job_ready", "due"), ("service", "not_ours"), (None, "not_ours"), ("shadow", "not_ours")]
)
def test_only_configs_that_the_job_owns_are_due(status, verdict, store: Store, sql, add_config) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status varchar(50)")
    add_config(migration_status=status)
    assert store.count_verdicts(NOON) == {verdict: 1}


def test_two_active_configs_that_replace_one_table_name_each_other(store: Store, add_config) -> None:
    first, second = add_config("first", bigquery_table_id="same"), add_config("second", bigquery_table_id="same")
    add_config("paused", bigquery_table_id="same", is_active=False)
    told = {each.name: each.reason for each in store.judge(NOON, due=False, most=10) if each.name != "paused"}
    assert f'{second} "second"' in told["first"]
    assert f'{first} "first"' in told["second"]
    assert store.judge(NOON, due=True, most=10) == []
    assert store.tell(NOON, 10).counts == {"table_conflict": 2, "paused": 1}
    assert store.count_verdicts(NOON, ["second"]) == {"table_conflict": 1}


def test_runs_are_recorded_part_by_part_behind_a_place(store: Store, sql, add_config) -> None:
    # In the index's order: what never ran, then by when the next slot came.
    late, later = (add_config(f"{at}", last_run=ago(at), scheduled_run=ago(at)) for at in (30, 26))
    new = add_config("new")
    batch = "00000000-0000-0000-0000-000000000001"
    assert [each.config_id for each in store.record_due(NOON, batch, None, behind=Place(0, new)).named] == [late, later]
    assert sql("SELECT count(*) FROM sheet_to_bigquery_runs") == [[2]]
    assert [each.config_id for each in store.record_due(NOON, batch, None).named] == [new]


def test_of_what_a_batch_recorded_the_rest_is_told_apart(store: Store, add_config) -> None:
    add_config("due")
    add_config("well", last_run=NOON)
    batch = "00000000-0000-0000-0000-000000000001"
    store.record_due(NOON, batch, None)
    assert store.tell(NOON, 10, recorded_by=batch).counts == {"not_due": 1}
    assert store.tell(NOON, 10).counts == {"not_due": 1, "open_run": 1}


def test_the_rule_can_be_asked_of_some_names_only(store: Store, add_config) -> None:
    add_config("wanted")
    add_config("other")
    assert [each.name for each in store.judge(NOON, due=True, most=10, names=["wanted", "nobody"])] == ["wanted"]
    assert store.known_names(["wanted", "nobody"]) == {"wanted"}


def test_an_empty_table_has_nothing_due(store: Store) -> None:
    assert store.count_verdicts(NOON) == {}
    assert store.record_due(NOON, "00000000-0000-0000-0000-000000000001", None) == Due(0, [])
    assert store.tell(NOON, 10) == Told({}, [])


@pytest.mark.parametrize("odd", ["infinity", "-infinity", "9999-12-31 12:00+00", "294000-01-01 00:00+00"])
def test_a_last_run_that_cannot_be_is_reported_and_keeps_nobody(odd: str, store: Store, add_config) -> None:
    add_config("odd", last_run=odd)
    add_config("good")
    assert [each.name for each in store.judge(NOON, due=True, most=10)] == ["good"]
    [told] = store.judge(NOON, due=False, most=10)
    assert (told.name, told.verdict) == ("odd", "bad_last_run")
    assert "correct it" in told.reason


def test_what_a_person_has_to_mend_is_told_before_all_that_is_well(store: Store, add_config) -> None:
    for number in range(5):
        add_config(f"well_{number}", last_run=NOON)
    add_config("wrong", run_frequency_hours=-3, last_run=NOON)
    assert [each.name for each in store.judge(NOON, due=False, most=1)] == ["wrong"]


def test_a_blank_around_a_tables_name_makes_it_no_other_table(store: Store, add_config) -> None:
    add_config("first", bigquery_table_id="sales")
    add_config("second", bigquery_table_id=" sales\n")
    assert store.count_verdicts(NOON) == {"table_conflict": 2}


def test_a_config_without_a_name_keeps_nobody(store: Store, sql, add_config) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ALTER COLUMN name DROP NOT NULL")
    add_config("named")
    add_config("unnamed")
    sql("UPDATE sheet_to_bigquery_configs SET name = NULL WHERE name = 'unnamed'")
    batch = "00000000-0000-0000-0000-000000000001"
    assert sorted(each.name for each in store.record_due(NOON, batch, None).named) == ["", "named"]


def test_reads_are_reserved_as_the_newest_run_that_told_them_took(store: Store, sql, add_config, add_run) -> None:
    config_id = add_config()
    add_run(config_id, ago(72), requests=500)
    add_run(config_id, ago(48), state="failed")
    store.record_due(NOON, "00000000-0000-0000-0000-000000000001", None)
    assert sql("SELECT reads FROM sheet_to_bigquery_runs WHERE state = 'pending'") == [[500]]


def test_a_run_that_was_refused_its_reads_makes_the_next_one_no_cheaper(store: Store, sql, add_config, add_run) -> None:
    config = add_config(run_frequency_hours=1, last_run=NOON - 3 * HOUR)
    add_run(config, NOON - 3 * HOUR, requests=61, sheet_reads=60)
    add_run(config, NOON - 2 * HOUR, state="failed", requests=5, sheet_reads=0, reads=60)
    store.record_due(NOON, "00000000-0000-0000-0000-000000000001", None)
    assert sql("SELECT reads FROM sheet_to_bigquery_runs WHERE state = 'pending'") == [[60]]


def test_what_is_due_is_found_by_index_as_by_looking_at_every_config(store: Store, add_config, add_run) -> None:
    """`only_due` looks only at what may be due: whatever moved last_run, and whatever ran, it must miss nothing."""
    rng = random.Random(4)
    hours = [None, 0, -1, 1, 4, 24, 168, 900_000]
    moments = [ago(at) for at in (-30, -1, 0, 0.5, 1, 3.9, 4, 5, 23.9, 24, 25, 47, 49, 167, 168, 169, 400)]
    for number in range(500):
        # As `succeed` leaves it: the slot of a scheduled run, of which last_run may have been moved since.
        scheduled = rng.choice([None, *moments])
        last_run = scheduled if rng.random() < 0.5 else rng.choice([None, *moments])
        config_id = add_config(
            f"c{number}",
            is_active=rng.random() < 0.9,
            run_frequency_hours=rng.choice(hours),
            last_run=last_run,
            scheduled_run=scheduled,
        )
        if scheduled:
            add_run(config_id, scheduled)
        for slot in set(rng.sample(moments, rng.choice([0, 0, 1, 2]))) - {scheduled}:
            add_run(config_id, slot, rng.choice(["schedule", "manual"]), rng.choice(["failed", "succeeded"]))
    due = store.judge(NOON, due=True, most=1000)
    counts = store.count_verdicts(NOON)
    assert len(due) == counts["due"] > 50
    assert store.tell(NOON, 5).counts == counts
    assert {"paused", "manual_only", "bad_frequency", "not_due"} <= counts.keys()
    assert store.record_due(NOON, "00000000-0000-0000-0000-000000000001", None).named == [
        msgspec.structs.replace(each, until=None) for each in due
    ]
