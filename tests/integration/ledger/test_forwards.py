"""Who acts on a message of the portal's, decided with PostgreSQL's own locks."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from shared.errors import AmbiguousName, Overtaken, TableConflict, UnknownConfig
from shared.ledger import statements
from shared.ledger.connection import Session, connect
from shared.ledger.forward_queries import Forward
from shared.ledger.store import Store
from shared.messages import ManualRequest
from shared.portal import PortalMessage
from shared.settings import Database
from sql.tracking import start

PLACE = ("test-project", "reports", "sales")
TABLE = ".".join(PLACE)
SECONDS = 300


@pytest.fixture
def tracked(migrated: Database) -> Database:
    """A database whose configs have owners."""
    with connect(migrated) as connection:
        list(start(connection, migrated.configs_table))
    return migrated


@pytest.fixture
def asked(tracked: Database, store: Store) -> Callable[..., Forward]:
    """Begins the forward of a message for a config."""

    def begin(config_id: int | None = None, message_id: str = "m1", place=PLACE, **request) -> Forward:
        return store.begin_forward(message_id, PortalMessage(ManualRequest(id=config_id, **request), place), SECONDS)

    return begin


@pytest.fixture
def elsewhere(tracked: Database) -> Iterator[Store]:
    """Another connection."""
    with connect(tracked) as connection:
        yield Store(Session(connection, tracked.configs_table))


def test_a_message_is_no_run_of_the_jobs_where_its_config_went_back_meanwhile(tracked, add_config, store, sql) -> None:
    """Between the decision and the record; the run would be refused, and nobody would load what was asked for."""
    config_id = add_config("sales", migration_status="job_ready")
    own(sql, config_id, "service")
    with pytest.raises(Overtaken, match="given back"):
        store.record_request("portal/m1", ManualRequest(id=config_id), b"{}", store.now(), if_ours=True)
    assert store.find_message("portal/m1") is None
    assert store.record_request("m1", ManualRequest(id=config_id), b"{}", store.now()) == "accepted"


def own(sql, config_id: int, owner: str | None) -> None:
    sql("UPDATE sheet_to_bigquery_configs SET migration_status = :owner WHERE id = :id", owner=owner, id=config_id)


@pytest.fixture
def in_flight(add_run) -> Callable[..., str]:
    def add(config_id: int, why: str = "schedule", **values) -> str:
        now = datetime.now(UTC)
        claimed = {"attempt": 1, "claimed_at": now, "had_last_run": False, "lease_until": now, "deadline": now}
        claimed |= {"job_project": "p", "job_location": "US"}
        return add_run(config_id, now, why, "launching", **claimed, **values)

    return add


def test_without_owners_every_message_is_the_jobs(store: Store, add_config) -> None:
    wanted = PortalMessage(ManualRequest(id=add_config()), PLACE)
    assert store.begin_forward("m1", wanted, SECONDS).verdict == "job"
    with pytest.raises(UnknownConfig):
        store.begin_forward("m2", PortalMessage(ManualRequest(id=99), PLACE), SECONDS)


@pytest.mark.parametrize(
    ("owner", "verdict", "shadow"),
    [
        (None, "forward", False),
        ("service", "forward", False),
        ("shadow", "forward", True),
        ("job_ready", "job", False),
    ],
)
def test_the_owner_decides(asked, sql, add_config, owner, verdict: str, shadow: bool) -> None:
    config_id = add_config(migration_status=owner)
    found = asked(config_id)
    assert (found.verdict, found.wants_shadow, found.subject) == (verdict, shadow, f'config {config_id} "sales"')
    assert sql("SELECT count(*) FROM sheet_to_bigquery_forwards") == [[int(verdict == "forward")]]


def test_a_forward_is_noted_for_as_long_as_the_service_may_take(asked, sql, add_config) -> None:
    config_id = add_config()
    asked(config_id)
    told = "SELECT config_id, destination, attempts, ended_at, status FROM sheet_to_bigquery_forwards"
    assert sql(told) == [[config_id, TABLE, 1, None, None]]
    seconds = "SELECT extract(epoch FROM open_until - begun_at)::int FROM sheet_to_bigquery_forwards"
    assert sql(seconds)[0][0] >= SECONDS


def test_a_paused_config_is_the_services_still_but_not_shadowed(asked, add_config) -> None:
    """The portal's messages were never held back by Postgres."""
    found = asked(add_config(migration_status="shadow", is_active=False))
    assert (found.verdict, found.wants_shadow) == ("forward", False)


def test_a_config_is_found_by_its_name_and_two_of_one_name_are_nobodys(asked, add_config) -> None:
    config_id = add_config()
    assert asked(name="sales").config_id == config_id
    add_config()
    with pytest.raises(AmbiguousName):
        asked(message_id="m2", name="sales")


def test_a_config_that_postgres_does_not_know_is_forwarded_by_its_table(asked, sql) -> None:
    assert asked(99).verdict == "forward"
    assert sql("SELECT config_id, destination FROM sheet_to_bigquery_forwards") == [[None, TABLE]]
    with pytest.raises(UnknownConfig):
        asked(99, "m2", place=None)


def test_a_message_that_names_no_table_is_for_its_configs(asked, sql, add_config) -> None:
    asked(add_config(), place=None)
    assert sql("SELECT destination FROM sheet_to_bigquery_forwards") == [[TABLE]]


@pytest.mark.parametrize(("status", "again"), [(200, "forwarded_before"), (204, "forwarded_before"), (500, "forward")])
def test_a_message_is_handed_over_until_the_service_took_it(asked, store, add_config, status: int, again: str) -> None:
    config_id = add_config()
    store.end_forward("m1", asked(config_id).attempt, status)
    assert asked(config_id).verdict == again


def test_an_unanswered_message_waits_until_the_service_has_given_up(asked, sql, add_config) -> None:
    config_id = add_config()
    asked(config_id)
    assert asked(config_id).verdict == "unanswered"
    own(sql, config_id, "job_ready")
    assert asked(config_id).verdict == "unanswered", "the service may be at work, whoever owns the config by now"
    own(sql, config_id, "service")
    sql("UPDATE sheet_to_bigquery_forwards SET open_until = now()")
    assert (asked(config_id).attempt, asked(config_id).verdict) == (2, "unanswered")


def test_an_unanswered_message_is_the_jobs_once_that_owns_the_config(asked, sql, add_config) -> None:
    config_id = add_config()
    asked(config_id)
    own(sql, config_id, "job_ready")
    sql("UPDATE sheet_to_bigquery_forwards SET open_until = now()")
    assert asked(config_id).verdict == "job"


def test_a_message_that_never_got_there_waits_for_nothing(asked, store, add_config) -> None:
    config_id = add_config()
    store.withdraw_forward("m1", asked(config_id).attempt)
    assert (asked(config_id, "m2").verdict, asked(config_id).verdict) == ("forward", "busy")


def test_an_answer_to_an_earlier_attempt_says_nothing_of_a_later_one(asked, store, sql, add_config) -> None:
    config_id = add_config()
    first = asked(config_id).attempt
    sql("UPDATE sheet_to_bigquery_forwards SET open_until = now()")
    second = asked(config_id).attempt
    store.end_forward("m1", first, 200)
    store.withdraw_forward("m1", first)
    assert asked(config_id).verdict == "unanswered"
    store.end_forward("m1", second, 200)
    assert asked(config_id).verdict == "forwarded_before"


def test_a_message_that_the_job_took_is_nobody_elses(asked, store, sql, add_config) -> None:
    config_id = add_config(migration_status="job_ready")
    store.record_request("m1", ManualRequest(id=config_id), b"{}", store.now())
    own(sql, config_id, "service")
    assert asked(config_id).verdict == "recorded_before"


@pytest.mark.parametrize("of", ["the config", "the table"])
def test_a_run_in_flight_holds_the_table(asked, sql, add_config, in_flight, of: str) -> None:
    config_id = add_config()
    run_id = in_flight(config_id, destination="p.d.edited") if of == "the config" else in_flight(99, destination=TABLE)
    found = asked(config_id)
    assert (found.verdict, found.reason) == ("busy", f"run {run_id} is in flight")
    assert sql("SELECT count(*) FROM sheet_to_bigquery_forwards") == [[0]]
    sql("UPDATE sheet_to_bigquery_runs SET state = 'cancelled', ended_at = now()")
    assert asked(config_id).verdict == "forward"


def test_a_message_for_the_very_table_that_a_shadow_run_loads_waits(asked, add_config, in_flight) -> None:
    in_flight(add_config(migration_status="shadow"), "shadow", destination="test-project.reports_shadow.sales")
    found = asked(99, place=("test-project", "reports_shadow", "sales"))
    assert (found.verdict, "is in flight" in found.reason) == ("busy", True)


def test_a_shadow_run_and_a_run_that_waits_hold_nothing(asked, add_config, add_run, in_flight) -> None:
    config_id = add_config(migration_status="shadow")
    in_flight(config_id, "shadow", destination="test-project.reports_shadow.sales")
    add_run(config_id, datetime.now(UTC), "manual", "pending", destination=TABLE)
    assert asked(config_id).verdict == "forward"


def test_another_message_for_the_table_waits_for_the_first(asked, store, add_config) -> None:
    """Else the earlier reading could be the one that stays."""
    config_id, other = add_config(), add_config("other", bigquery_table_id="sales")
    first = asked(config_id)
    assert [asked(config_id, "m2").verdict, asked(other, "m3").verdict] == ["busy", "busy"]
    store.end_forward("m1", first.attempt, 200)
    assert asked(other, "m3").verdict == "forward"


@pytest.mark.parametrize(("active", "owner"), [(True, "service"), (False, "job_ready")])
def test_a_table_is_the_jobs_only_by_an_active_config_of_its_own(asked, add_config, active: bool, owner: str) -> None:
    add_config("other", bigquery_table_id=" sales", is_active=active, migration_status=owner)
    assert asked(add_config()).verdict == "forward"


def test_a_message_for_a_table_that_the_job_owns_is_refused(asked, sql, add_config) -> None:
    other = add_config("other", bigquery_table_id=" sales", migration_status="job_ready")
    for config_id in (add_config(), 99):
        with pytest.raises(TableConflict, match=rf'{TABLE}, which the job replaces for config {other} "other"'):
            asked(config_id)
    assert sql("SELECT count(*) FROM sheet_to_bigquery_forwards") == [[0]]


def test_the_shadow_of_a_forward_is_wanted_until_it_is_recorded(asked, store, add_config, add_run) -> None:
    config_id = add_config(migration_status="shadow")
    add_run(config_id, store.now(), "shadow")
    store.end_forward("m1", asked(config_id).attempt, 200)
    assert asked(config_id).wants_shadow
    add_run(config_id, store.now(), "shadow")
    assert not asked(config_id).wants_shadow


def test_a_change_of_owner_at_the_same_moment_is_waited_for_and_seen(asked, sql, elsewhere, add_config) -> None:
    config_id = add_config()
    sql("BEGIN")
    own(sql, config_id, "job_ready")
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(asked, config_id)
        time.sleep(0.3)
        assert not begun.done()
        # Whoever is admitted or claimed meanwhile does not wait for that change, too.
        assert elsewhere.admit(elsewhere.now(), 1, 60) == []
        sql("COMMIT")
        assert begun.result(timeout=10).verdict == "job"


def test_a_change_of_owner_waits_for_a_decision_that_is_being_made(asked, sql, tracked, elsewhere, add_config) -> None:
    config_id = add_config()
    sql("BEGIN")
    sql(statements.LOCK_ADMISSION)
    with ThreadPoolExecutor(2) as pool, connect(tracked) as connection:
        begun = pool.submit(asked, config_id)
        time.sleep(0.3)
        promote = "UPDATE sheet_to_bigquery_configs SET migration_status = 'job_ready'"
        promoted = pool.submit(connection.execute_simple, promote)
        time.sleep(0.3)
        assert not begun.done()
        assert not promoted.done()
        sql("COMMIT")
        assert begun.result(timeout=10).verdict == "forward"
        promoted.result(timeout=10)


def test_of_many_deliveries_at_once_one_is_handed_over(tracked: Database, sql, add_config) -> None:
    wanted = PortalMessage(ManualRequest(id=add_config()), PLACE)

    def deliver(_number: int) -> str:
        with connect(tracked) as connection:
            return Store(Session(connection, tracked.configs_table)).begin_forward("m1", wanted, SECONDS).verdict

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(deliver, range(6))) == ["forward"] + ["unanswered"] * 5
    assert sql("SELECT attempts FROM sheet_to_bigquery_forwards") == [[1]]
