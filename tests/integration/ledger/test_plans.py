"""The hot statements stay on their indexes in a large database: what the planner itself chooses, and what it reads."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pg8000.dbapi
import pg8000.native
import pytest

from local.bench.dispatch import fleet
from local.ports import HOST
from local.postgres import Postgres
from shared.ledger import (
    admission_statements,
    comparison_statements,
    config_statements,
    due_statements,
    forward_statements,
    message_statements,
    owner_statements,
    record_statements,
    run_statements,
    statements,
)
from shared.ledger.connection import Session, connect
from shared.ledger.store import ADMITTED, FIRST, RECORDED
from shared.run import Place
from shared.settings import Database
from sql.migrations import up

REPOSITORY = Path(__file__).parents[3]
CONFIGS = 1_000_000
DUE = 100
BATCH = "00000000-0000-0000-0000-000000000001"
CONFIGS_TABLE = "sheet_to_bigquery_configs"


@pytest.fixture(scope="module")
def large(postgres: Postgres) -> Iterator[Database]:
    """A million configs with a run each, of which a hundred are due; analysed while nothing was open."""
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
    fleet.fill(filling, CONFIGS, DUE, days=1)
    filling.close()
    yield database
    admin.run("DROP DATABASE large WITH (FORCE)")
    admin.close()


@pytest.fixture
def session(large: Database) -> Iterator[Session]:
    """A transaction that is taken back, so that every test finds the database as it was filled. It has all the time
    that a busy machine takes: what is looked at here is what the statements read.
    """
    with closing(
        pg8000.dbapi.Connection(
            large.postgres_user,
            host=HOST,
            port=large.postgres_port,
            database=large.postgres_db,
            password=large.postgres_password,
        )
    ) as connection:
        connection.autocommit = True
        session = Session(connection, CONFIGS_TABLE)
        session.run("BEGIN")
        yield session


def explained(session: Session, statement: str, **parameters: Any) -> dict[str, Any]:
    """The plan that is run, as the planner chose it and with what it read."""
    ((told,),) = session.run(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}", **parameters)
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


def recording(session: Session, behind: Place = FIRST) -> dict[str, Any]:
    """What RECORD_DUE is asked with, in a transaction that is made for it."""
    session.run(statements.IN_INDEX_ORDER)
    return {
        "now": session.run(statements.NOW)[0][0],
        "due_from": behind.due_from,
        "config_id": behind.config_id,
        "batch": BATCH,
        "batch_cap": None,
        "names": None,
        "most": RECORDED,
        "named": 9,
    }


def admitting(session: Session) -> dict[str, Any]:
    now = session.run(statements.NOW)[0][0]
    return {"now": now, "cap": 1000, "reads_per_minute": 100_000, "most": ADMITTED}


def track(session: Session, shadows: int) -> None:
    """Every config is the older service's, and the first few are shadowed."""
    script = (REPOSITORY / "sql" / "tracking" / "start.sql").read_text()
    session.run(script.replace("{default}", "service"))
    session.run(f"UPDATE {CONFIGS_TABLE} SET migration_status = 'shadow' WHERE id <= :shadows", shadows=shadows)


def recording_shadows(session: Session) -> dict[str, Any]:
    now = session.run(statements.NOW)[0][0]
    return {"now": now, "batch": BATCH, "batch_cap": None, "names": None, "most": RECORDED, "shadow_suffix": "_shadow"}


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


def test_the_next_part_of_many_due_configs_is_found_without_reading_those_before_it(session: Session) -> None:
    make_all_due(session, 30_000)
    first = session.run(record_statements.RECORD_DUE, **recording(session) | {"most": 10_000})
    looked_at, due_from, config_id, recorded, _ = first[0]
    assert (looked_at, recorded) == (10_000, 10_000)
    behind = recording(session, Place(due_from, config_id)) | {"most": 10}
    plan = explained(session, record_statements.RECORD_DUE, **behind)
    assert scanned_whole(plan) == []
    assert pages(plan) < 100 * 10


def test_telling_of_a_million_configs_asks_the_ledger_only_of_those_that_may_be_due(session: Session) -> None:
    now = session.run(statements.NOW)[0][0]
    plan = explained(session, due_statements.TELL, now=now, most=9, names=None, recorded_by=None)
    # Two passes over the configs, and nothing for each of them.
    assert scanned_whole(plan) == [CONFIGS_TABLE] * 2
    ((configs,),) = session.run(f"SELECT relpages FROM pg_class WHERE oid = '{CONFIGS_TABLE}'::regclass")
    assert pages(plan) < 2 * configs + 100 * DUE


def test_the_configs_that_are_due_are_asked_for_by_index_too(session: Session) -> None:
    now = session.run(statements.NOW)[0][0]
    plan = explained(session, due_statements.JUDGE_DUE, now=now, due=True, most=1000, names=None)
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


def test_what_the_metrics_are_made_of_is_counted_by_index(session: Session) -> None:
    session.run(record_statements.RECORD_DUE, **recording(session))
    session.run(admission_statements.ADMIT, **admitting(session))
    plan = explained(session, run_statements.MEASURE, now=session.run(statements.NOW)[0][0])
    assert "sheet_to_bigquery_runs" not in scanned_whole(plan)
    assert pages(plan) < 100 * DUE


def test_a_hundred_shadows_are_found_by_index_among_all(session: Session) -> None:
    track(session, DUE)
    plan = explained(session, record_statements.RECORD_SHADOWS, **recording_shadows(session))
    assert scanned_whole(plan) == []
    assert "idx_configs_shadow" in {node.get("Index Name") for node in nodes(plan)}
    assert pages(plan) < 100 * DUE
    assert session.run("SELECT count(*) FROM sheet_to_bigquery_runs WHERE why = 'shadow'") == [[DUE]]


def test_where_nobody_migrates_looking_for_shadows_costs_nothing(session: Session) -> None:
    plan = explained(session, record_statements.RECORD_SHADOWS, **recording_shadows(session))
    assert scanned_whole(plan) == []
    assert pages(plan) < 10


def test_what_is_due_is_found_by_index_while_configs_are_marked_too(session: Session) -> None:
    track(session, DUE)
    plan = explained(session, record_statements.RECORD_DUE, **recording(session))
    assert scanned_whole(plan) == []
    assert pages(plan) < 100 * DUE


def test_a_claim_asks_for_the_older_services_messages_by_index(session: Session) -> None:
    session.run(record_statements.RECORD_DUE, **recording(session))
    session.run(admission_statements.ADMIT, **admitting(session))
    session.run(
        "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, destination, begun_at, open_until, ended_at,"
        " status) SELECT 'm' || n, n, 'p.d.t' || n, now(), now() + interval '5 minutes', now(), 200"
        " FROM generate_series(1, 100000) n"
    )
    ((run_id,),) = session.run("SELECT id FROM sheet_to_bigquery_runs WHERE state = 'queued' LIMIT 1")
    now = session.run(statements.NOW)[0][0]
    claiming = {"run_id": run_id, "destination": "p.d.t", "had_last_run": True, "job_project": "p", "now": now}
    claiming |= {"job_location": "US", "lease_until": now, "deadline": now}
    plan = explained(session, run_statements.CLAIM, **claiming)
    assert scanned_whole(plan) == []
    assert pages(plan) < 100


def test_what_a_message_of_the_portals_and_a_shadow_ask_is_found_by_index_among_all(session: Session) -> None:
    session.run(
        "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, destination, begun_at, open_until)"
        " SELECT 'm' || n, n, 'p.d.t' || n, now() - interval '1 hour', now() FROM generate_series(1, 100000) n"
    )
    session.run(
        "INSERT INTO sheet_to_bigquery_messages (message_id, received_at, verdict, body)"
        " SELECT 'portal/' || n, now(), 'accepted', '{}' FROM generate_series(1, 100000) n"
    )
    place = {"project": "p", "dataset": "d", "name": "t7"}
    now = session.run(statements.NOW)[0][0]
    for statement, asked in (
        (forward_statements.JUDGE, {"message_id": "n", "config_id": 7, "destination": "p.d.t7", **place}),
        (forward_statements.CLEAN, {"before": now - timedelta(days=1), "most": 1000}),
        (config_statements.OF_TABLE, place),
        (owner_statements.SHADOW_BEGAN, {"config_id": 7, "destination": "p.d.t7"}),
        (comparison_statements.NEWEST_LOAD, {"config_id": 7, "destination": "p.d.t7"}),
        (message_statements.UNANSWERED, {"config_ids": [7]}),
    ):
        plan = explained(session, statement, **asked)
        assert scanned_whole(plan) == [], statement
        assert pages(plan) < 100, statement


def test_what_people_look_at_of_runs_is_found_by_index_while_many_wait(session: Session) -> None:
    make_all_due(session, 20_000)
    session.run(record_statements.RECORD_DUE, **recording(session))
    session.run(admission_statements.ADMIT, **admitting(session) | {"cap": 100})
    ((now,),) = session.run(statements.NOW)
    run = {"run_id": BATCH, "config_id": 7, "destination": "p.d.t7"}
    for statement, asked, most in (
        (run_statements.LIST_RUNS_OF_CONFIG, {"config_id": 7, "most": 20}, 100),
        (run_statements.FORMER_LOAD, run | {"ended_at": now}, 100),
        (run_statements.FORMER_LOAD, run | {"ended_at": None}, 100),
        # A few hundred pages for what is active, and the dead entries of what was recorded just now.
        (run_statements.LIST_ACTIVE, {"ids": None, "most": 100}, 1000),
        (run_statements.LIST_ENDED, {"ids": None, "since": now - timedelta(minutes=15), "most": 100}, 1000),
        (run_statements.LIST_WAITING, {"ids": [7], "most": 100}, 100),
    ):
        plan = explained(session, statement, **asked)
        assert scanned_whole(plan) == [], statement
        assert pages(plan) < most, statement
    for statement, asked in (
        (run_statements.LIST_WAITING, {"ids": None, "most": 100}),
        (run_statements.COUNT_OPEN, {"ids": None}),
    ):
        assert scanned_whole(explained(session, statement, **asked)) == [], statement
