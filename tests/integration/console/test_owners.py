"""Promoting and rolling back on a page go by the rules of `migrate.py`, into the same audit, with who did it."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from shared.ledger.connection import Session, connect
from shared.ledger.store import Store
from shared.owner import Owner
from shared.settings import Database
from tests.integration.console.conftest import WHO, Reader, attempt_at, done, notice, refused, text, wait_for_a_lock
from tests.integration.console.moving import Add, Moving, Sql

ReaderOf = Callable[..., Reader]


def test_what_was_proved_is_promoted_by_who_asks(reader: Reader, moving: Moving, store: Store) -> None:
    config_id = moving.config("shadow")
    moving.compared(config_id, "MATCH", "MATCH", "MATCH")
    asked = text(reader.ask(f"/configs/{config_id}/promote"))
    assert "3 comparisons in a row were MATCH, and 3 are needed; the newest comparison says MATCH." in asked
    assert "The table keeps the service's shape" in asked
    response = reader.do(f"/configs/{config_id}/promote", reason="equal for a week")
    assert moving.owner(config_id) == "job_ready"
    assert moving.changes() == [("shadow", "job_ready", WHO, "equal for a week")]
    acted = done(response, store)
    assert (acted.action, acted.acted_by) == ("promote", WHO)
    assert acted.details == {"before": "shadow", "after": "job_ready", "reason": "equal for a week"}
    assert "is the job's from now on" in notice(reader, response)


@pytest.mark.parametrize(
    ("owner", "verdicts", "told"),
    [
        ("shadow", (), "has 0 of 3 MATCH in a row"),
        ("shadow", ("MATCH", "MATCH", "MATCH", "MISMATCH"), "the newest comparison says MISMATCH"),
        ("shadow", ("MATCH", "MATCH", "MATCH", "SHADOW_OLDER"), "neither proves nor disproves"),
        ("service", (), "is the service's, and was not loaded beside it"),
        ("job_ready", (), "is the job's already"),
    ],
)
def test_what_was_not_proved_is_not_promoted_and_the_page_says_why(
    owner: str, verdicts: tuple[str, ...], told: str, reader: Reader, moving: Moving, sql: Sql
) -> None:
    config_id = moving.config(owner)
    moving.compared(config_id, *verdicts)
    assert told in refused(reader, f"/configs/{config_id}/promote")
    response = reader.do(f"/configs/{config_id}/promote", page="/add", reason="<b>please</b>")
    assert response.status_code == 409
    assert told in text(response)
    assert 'name="reason" value="<b>please</b>"' in text(response)
    assert (moving.owner(config_id), moving.changes()) == (owner, [])
    assert sql("SELECT * FROM sheet_to_bigquery_actions") == []


@pytest.mark.parametrize(
    ("action", "owner", "told"),
    [("promote", "job_ready", "somebody promoted"), ("rollback", "service", "somebody rolled")],
)
def test_of_two_who_change_the_owner_at_the_same_moment_one_did_it(
    action: str, owner: Owner, told: str, reader: Reader, moving: Moving, migrated: Database, sql: Sql
) -> None:
    config_id = moving.config("shadow")
    moving.compared(config_id, "MATCH", "MATCH", "MATCH")
    with connect(migrated) as connection, ThreadPoolExecutor() as threads:
        first = Store(Session(connection, migrated.configs_table))
        with first.acting(str(uuid.uuid4())):
            first.set_owner([config_id], ("shadow",), owner, "bob@example.com", None)
            sent = threads.submit(reader.do, f"/configs/{config_id}/{action}")
            wait_for_a_lock(sql)
        response = sent.result()
    assert (response.status_code, moving.owner(config_id)) == (409, owner)
    assert told in text(response)
    assert sql("SELECT * FROM sheet_to_bigquery_actions") == []
    assert [change[2] for change in moving.changes()] == ["bob@example.com"]


def test_what_somebody_edits_at_the_moment_of_its_promotion_is_not_promoted(
    reader: Reader, moving: Moving, migrated: Database, sql: Sql
) -> None:
    config_id = moving.config("shadow")
    moving.compared(config_id, "MATCH", "MATCH", "MATCH")
    with connect(migrated) as connection, ThreadPoolExecutor() as threads:
        session = Session(connection, migrated.configs_table)
        with session.transaction():
            session.run("UPDATE {configs} SET bigquery_table_id = 'unproved' WHERE id = :id", id=config_id)
            sent = threads.submit(reader.do, f"/configs/{config_id}/promote")
            wait_for_a_lock(sql)
        response = sent.result()
    assert (response.status_code, moving.owner(config_id)) == (409, "shadow")
    assert f'somebody changed config {config_id} "sales" at this moment' in text(response)
    assert (sql("SELECT * FROM sheet_to_bigquery_actions"), moving.changes()) == ([], [])


def test_how_many_matches_are_needed_is_the_setting(reader_of: ReaderOf, moving: Moving) -> None:
    config_id = moving.config("shadow")
    moving.compared(config_id, "MATCH")
    assert reader_of(MIGRATION_MATCHES="2").do(f"/configs/{config_id}/promote", page="/add").status_code == 409
    assert reader_of(MIGRATION_MATCHES="1").do(f"/configs/{config_id}/promote").status_code == 303


def test_a_table_that_the_service_may_be_loading_is_not_promoted(reader: Reader, moving: Moving, sql: Sql) -> None:
    config_id = moving.config("shadow")
    moving.compared(config_id, "MATCH", "MATCH", "MATCH")
    sql(
        "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, begun_at, open_until)"
        " VALUES ('m', :id, now(), now() + interval '1 minute')",
        id=config_id,
    )
    told = refused(reader, f"/configs/{config_id}/promote")
    assert "the service may be loading the table" in told
    assert "try again in some minutes" in told
    response = reader.do(f"/configs/{config_id}/promote", page="/add")
    assert (response.status_code, moving.owner(config_id)) == (409, "shadow")
    assert "the service may be loading the table" in text(response)


@pytest.mark.parametrize("owner", ["shadow", "job_ready"])
def test_a_rollback_marks_and_wishes_what_is_in_flight_to_be_cancelled(
    owner: str, reader: Reader, moving: Moving, add_run: Add, now: datetime, store: Store
) -> None:
    config_id = moving.config(owner)
    why = "shadow" if owner == "shadow" else "schedule"
    flying = add_run(config_id, now, why, state="running", **attempt_at(now))
    waiting = add_run(config_id, now, "manual", state="pending")
    asked = text(reader.ask(f"/configs/{config_id}/rollback"))
    assert f"<code>python migrate.py rollback {config_id}</code>" in asked
    assert "is marked to be cancelled" in asked
    response = reader.do(f"/configs/{config_id}/rollback", reason="wrong dates")
    assert moving.owner(config_id) == "service"
    assert moving.changes() == [(owner, "service", WHO, "wrong dates")]
    runs = {run_id: store.find_run(run_id).run for run_id in (flying, waiting)}  # type: ignore[union-attr]
    assert (runs[flying].state, runs[flying].cancel_requested_at is not None) == ("running", True)
    assert runs[waiting].state == "cancelled"
    assert done(response, store).details == {"before": owner, "after": "service", "reason": "wrong dates"}
    assert "once the next sweep has closed the run in flight" in notice(reader, response)


@pytest.mark.parametrize(
    ("action", "before", "after", "why"),
    [
        ("rollback", "job_ready", "service", "manual"),
        ("rollback", "shadow", "service", "shadow"),
        ("promote", "shadow", "job_ready", "shadow"),
    ],
)
def test_a_change_of_owner_is_not_kept_by_who_closes_a_run_at_that_moment(
    action: str,
    before: str,
    after: str,
    why: str,
    reader: Reader,
    moving: Moving,
    add_run: Add,
    now: datetime,
    store: Store,
    migrated: Database,
) -> None:
    config_id = moving.config(before)
    moving.compared(config_id, "MATCH", "MATCH", "MATCH")
    run_id = add_run(config_id, now, why, state="pending")
    with connect(migrated) as connection, ThreadPoolExecutor() as threads:
        closer = Session(connection, migrated.configs_table)
        with closer.transaction():
            closer.run("SELECT FROM sheet_to_bigquery_runs WHERE id = :id FOR UPDATE", id=run_id)
            sent = threads.submit(reader.do, f"/configs/{config_id}/{action}")
            until = time.monotonic() + 5
            while moving.owner(config_id) != after and time.monotonic() < until:
                time.sleep(0.02)
            seen = moving.owner(config_id)
        assert (seen, sent.result().status_code) == (after, 303)
    assert store.find_run(run_id).run.state == "cancelled"  # type: ignore[union-attr]


def test_a_message_that_waited_for_the_job_is_told_with_what_hands_it_on(
    reader: Reader, moving: Moving, add_run: Add, now: datetime, sql: Sql
) -> None:
    config_id = moving.config("job_ready")
    run_id = add_run(config_id, now, "manual", state="pending")
    sql(
        "INSERT INTO sheet_to_bigquery_messages (message_id, received_at, verdict, body, run_id)"
        " VALUES ('portal/1', now(), 'accepted', '{}', :run)",
        run=run_id,
    )
    response = reader.do(f"/configs/{config_id}/rollback")
    assert f"<code>python migrate.py rollback {config_id}</code> hands it to the service" in notice(reader, response)


def test_what_is_the_services_already_is_not_rolled_back(reader: Reader, moving: Moving) -> None:
    config_id = moving.config("service")
    assert "is the older service's already" in refused(reader, f"/configs/{config_id}/rollback")
    response = reader.do(f"/configs/{config_id}/rollback", page="/add")
    assert (response.status_code, moving.changes()) == (409, [])
    assert "is the older service's already" in text(response)


@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_sent_twice_it_is_done_once(action: str, reader: Reader, moving: Moving) -> None:
    config_id = moving.config("shadow")
    moving.compared(config_id, "MATCH", "MATCH", "MATCH")
    form = reader.form(f"/configs/{config_id}/{action}")
    sent = [reader.send(f"/configs/{config_id}/{action}", form) for _ in range(2)]
    assert [each.status_code for each in sent] == [303, 303]
    assert len(moving.changes()) == 1


@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_where_nobody_moves_it_says_so(action: str, reader: Reader, add_config: Add) -> None:
    response = reader.do(f"/configs/{add_config()}/{action}", page="/")
    assert response.status_code == 409
    assert "no migration is going on here" in text(response)
