"""The states of a run: what may follow what, in the database's own words and in the product's."""

import itertools
from datetime import UTC, datetime, timedelta

import pg8000.exceptions
import pytest

from shared.errors import LedgerRefused
from shared.ledger.connection import Session, connect
from shared.settings import Database
from shared.states import ACTIVE, ENDED, OPEN, STATES, TRANSITIONS

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
# What a run in any state may have, so that only the transition can be what is refused.
CLAIMED = {
    "attempt": 1,
    "claimed_at": NOON,
    "had_last_run": True,
    "job_project": "p",
    "job_location": "US",
    "execution": "jobs/j/executions/e",
    "lease_until": NOON,
    "deadline": NOON,
}


def test_the_database_allows_exactly_the_transitions_that_are_told(add_run, migrated: Database) -> None:
    move = "UPDATE sheet_to_bigquery_runs SET state = :after, ended_at = :ended_at WHERE id = :id"
    allowed = {(before, after) for before in STATES for after in (before, *TRANSITIONS[before])}
    found, refusals = set(), set()
    with connect(migrated) as connection:
        session = Session(connection, migrated.configs_table)
        for number, (before, after) in enumerate(itertools.product(STATES, STATES)):
            run_id = add_run(number, NOON, state=before, **CLAIMED)
            try:
                session.run(move, id=run_id, after=after, ended_at=NOON if after in ENDED else None)
            except LedgerRefused as refusal:
                refusals.add(refusal.what)
            else:
                found.add((before, after))
    assert found == allowed
    assert refusals == {"PostgreSQL refuses a statement (SQLSTATE 23514)"}


def test_every_state_is_open_or_ended_and_what_is_active_is_open() -> None:
    assert sorted(OPEN + ENDED) == sorted(STATES)
    assert set(ACTIVE) < set(OPEN)
    assert all(TRANSITIONS[state] == () for state in ENDED)


@pytest.mark.parametrize("first", ACTIVE)
@pytest.mark.parametrize("second", ACTIVE)
@pytest.mark.parametrize(
    ("config_id", "table", "index"),
    [(1, "p.d.other", "runs_active_config"), (2, "p.d.same", "runs_active_destination")],
)
def test_the_database_refuses_a_second_active_run_of_a_config_or_of_a_table(
    add_run, first: str, second: str, config_id: int, table: str, index: str
) -> None:
    add_run(1, NOON, state=first, destination="p.d.same", **CLAIMED)
    with pytest.raises(pg8000.exceptions.DatabaseError, match=index):
        add_run(config_id, NOON, why="manual", state=second, destination=table, **CLAIMED)


def test_the_database_refuses_a_second_request_by_hand_that_waits(add_run) -> None:
    add_run(1, NOON, why="manual", state="pending")
    with pytest.raises(pg8000.exceptions.DatabaseError, match="runs_follow_up"):
        add_run(1, NOON + timedelta(hours=1), why="manual", state="pending")
