"""The hot statements stay on their indexes in a large database: what the planner itself chooses, and what it reads."""

import json
from collections.abc import Iterator
from typing import Any

import pg8000.native
import pytest

from local.bench.dispatch import fleet
from local.ports import HOST
from local.postgres import Postgres
from shared.ledger import admission_statements, due_statements, record_statements, run_statements, statements
from shared.ledger.connection import Session, connect
from shared.ledger.store import ADMITTED, RECORDED
from shared.settings import Database
from sql.migrations import up

CONFIGS = 100_000
DUE = 100
BATCH = "00000000-0000-0000-0000-000000000001"
CONFIGS_TABLE = "sheet_to_bigquery_configs"


@pytest.fixture(scope="module")
def large(postgres: Postgres) -> Iterator[Database]:
    """A hundred thousand configs with two runs each, of which a hundred are due; analysed while nothing was open."""
    login = {"host": HOST, "port": postgres.port, "password": postgres.password}
    admin = pg8000.native.Connection("postgres", database="postgres", **login)
    admin.run("CREATE DATABASE large OWNER sheet_to_bigquery")
    database = Database(
        postgres_db="large",
        postgres_user="sheet_to_bigquery",
        postgres_host=HOST,
        postgres_port=postgres.port,
        postgres_password=postgres.password,
        postgres_sslmode="disable",
    )
    with connect(database) as connection:
        list(up(connection, CONFIGS_TABLE))
    filling = pg8000.native.Connection("postgres", database="large", **login)
    fleet.fill(filling, CONFIGS, DUE)
    filling.close()
    yield database
    admin.run("DROP DATABASE large WITH (FORCE)")
    admin.close()


@pytest.fixture
def session(large: Database) -> Iterator[Session]:
    """A transaction that is taken back, so that every test finds the database as it was filled."""
    with connect(large) as connection:
        session = Session(connection, CONFIGS_TABLE)
        session.run("BEGIN")
        yield session


def explained(session: Session, statement: str, **parameters: Any) -> dict[str, Any]:
    """The plan that is run, as the planner chose it and with what it read."""
    ((told,),) = session.run(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", **parameters)
    return (told if isinstance(told, list) else json.loads(told))[0]["Plan"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def scanned_whole(plan: dict[str, Any]) -> list[str]:
    """The tables that are read from end to end."""
    return [node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan" and node["Actual Loops"]]


def pages(plan: dict[str, Any]) -> int:
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def recording(session: Session) -> dict[str, Any]:
    now = session.run(statements.NOW)[0][0]
    return {
        "now": now,
        "only_due": True,
        "recorded_by": None,
        "batch": BATCH,
        "batch_cap": None,
        "names": None,
        "most": RECORDED,
        "named": 9,
    }


def admitting(session: Session) -> dict[str, Any]:
    now = session.run(statements.NOW)[0][0]
    return {"now": now, "cap": 1000, "reads_per_minute": 100_000, "most": ADMITTED}


def make_all_due(session: Session, most: int) -> None:
    session.run(
        "UPDATE sheet_to_bigquery_configs SET run_frequency_hours = 1 WHERE id <= :most",
        most=most,
    )


def test_a_hundred_due_configs_are_found_by_index_among_all(session: Session) -> None:
    plan = explained(session, record_statements.RECORD_DUE, **recording(session))
    assert scanned_whole(plan) == []
    used = {node.get("Index Name") for node in nodes(plan)}
    assert {"idx_configs_due", "runs_of_a_slot"} <= used
    # A page or two for each thing that is asked of a due config or written: nothing for those that are not.
    assert pages(plan) < 100 * DUE
    assert session.run("SELECT count(*) FROM sheet_to_bigquery_runs WHERE state = 'pending'") == [[DUE]]


def test_the_configs_that_are_due_are_asked_for_by_index_too(session: Session) -> None:
    told = recording(session)
    plan = explained(
        session, due_statements.JUDGE, now=told["now"], only_due=True, recorded_by=None, most=1000, names=None
    )
    assert scanned_whole(plan) == []


def test_admission_looks_at_as_many_runs_as_it_admits_however_many_wait(session: Session) -> None:
    make_all_due(session, 20_000)
    session.run(record_statements.RECORD_DUE, **recording(session))
    waiting = session.run("SELECT count(*) FROM sheet_to_bigquery_runs WHERE state = 'pending'")[0][0]
    assert waiting > 15_000  # of which the statistics know nothing
    plan = explained(session, admission_statements.ADMIT, **admitting(session))
    assert scanned_whole(plan) == []
    assert session.run("SELECT count(*) FROM sheet_to_bigquery_runs WHERE state = 'queued'") == [[1000]]
    assert pages(plan) < 100 * 1000
    # What a completion admits, when there is room for one.
    plan = explained(session, admission_statements.ADMIT, **admitting(session) | {"cap": 1001})
    assert scanned_whole(plan) == []
    # It counts what is active, and passes over the entries in the index of those that were admitted before.
    assert pages(plan) < 5 * 1000


def test_admission_of_a_capped_batch_looks_at_as_many_runs_as_the_cap_has(session: Session) -> None:
    make_all_due(session, 20_000)
    session.run(record_statements.RECORD_DUE, **recording(session) | {"batch_cap": 5})
    plan = explained(session, admission_statements.ADMIT, **admitting(session))
    assert scanned_whole(plan) == []
    assert session.run("SELECT count(*) FROM sheet_to_bigquery_runs WHERE state = 'queued'") == [[5]]
    # The statement counts the active of the batch, and enters five runs in its indexes: nothing for those that wait.
    assert pages(plan) < 2000


@pytest.mark.parametrize("statement", [run_statements.LEASE_OVER, admission_statements.UNPUBLISHED])
def test_the_sweep_finds_silent_runs_by_index(statement: str, session: Session) -> None:
    session.run(record_statements.RECORD_DUE, **recording(session))
    session.run(admission_statements.ADMIT, **admitting(session))
    now = session.run(statements.NOW)[0][0]
    parameters = {"now": now} | ({"published_before": now} if statement == admission_statements.UNPUBLISHED else {})
    plan = explained(session, statement, **parameters)
    assert scanned_whole(plan) == []
    assert pages(plan) < 100 * DUE
