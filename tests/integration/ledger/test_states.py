"""The states of a run: what may follow what, in the database's own words and in the product's."""

import itertools
from datetime import UTC, datetime

import pytest

from shared.connection import Session, connect
from shared.errors import LedgerRefused
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


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_the_database_allows_exactly_the_transitions_that_are_told(before, after, add_run, migrated: Database) -> None:
    run_id = add_run(1, NOON, state=before, **CLAIMED)
    move = "UPDATE sheet_to_bigquery_runs SET state = :after, ended_at = :ended_at WHERE id = :id"
    with connect(migrated) as connection:
        session = Session(connection, migrated.configs_table)
        values = {"id": run_id, "after": after, "ended_at": NOON if after in ENDED else None}
        if after == before or after in TRANSITIONS[before]:
            session.run(move, **values)
        else:
            with pytest.raises(LedgerRefused, match="23514"):
                session.run(move, **values)


def test_every_state_is_open_or_ended_and_what_is_active_is_open() -> None:
    assert sorted(OPEN + ENDED) == sorted(STATES)
    assert set(ACTIVE) < set(OPEN)
    assert all(TRANSITIONS[state] == () for state in ENDED)
