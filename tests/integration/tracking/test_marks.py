"""Every change of a mark, whoever makes it: written down, checked, and heard by what is in flight."""

import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.ledger.connection import connect
from shared.ledger.store import open_store
from shared.settings import Database
from tests.integration.test_migrations import ran
from tests.integration.tracking.conftest import ALL_BACK, AUDIT, CONFIGS, MARK_ALL, MARK_SOME, NOON, marks


def test_the_guides_statements_are_written_down_with_who_from_and_to(tracked: Any, migrated: Database) -> None:
    for statement in (MARK_SOME, MARK_ALL, ALL_BACK, MARK_ALL):
        ran(tracked, statement)
    who = migrated.postgres_user
    there, back = ("service", "job_ready"), ("job_ready", "service")
    assert ran(tracked, AUDIT) == [
        [name, *change, who, None] for change in (there, back, there) for name in ("sales", "stock")
    ]


def test_who_says_who_they_are_and_why_is_written_down_so_for_that_transaction(tracked: Any) -> None:
    ran(tracked, "BEGIN")
    ran(tracked, "SET LOCAL sheet_to_bigquery.actor = 'ann'; SET LOCAL sheet_to_bigquery.reason = 'it differs'")
    ran(tracked, MARK_SOME)
    ran(tracked, "COMMIT")
    ran(tracked, ALL_BACK)
    assert [row[3:] for row in ran(tracked, AUDIT)][:2] == [["ann", "it differs"]] * 2
    assert all(row[3] != "ann" and row[4] is None for row in ran(tracked, AUDIT)[2:])


def test_a_portals_role_marks_configs_and_cannot_write_the_audit(tracked: Any, portal: Database, add_run) -> None:
    ran(tracked, MARK_ALL)
    [[number]] = ran(tracked, f"SELECT id FROM {CONFIGS} WHERE name = 'sales'")
    add_run(number, NOON, state="running", **in_flight())
    with connect(portal) as opened:
        ran(opened, ALL_BACK)
        for forbidden in (
            "INSERT INTO sheet_to_bigquery_owner_changes (config_id, config_name, changed_by, before, after)"
            " VALUES (1, 'a', 'b', 'c', 'd')",
            "UPDATE sheet_to_bigquery_runs SET state = 'failed'",
            "CREATE TEMP TABLE of_mine (id int, migration_status text, name text, options jsonb);"
            " CREATE TRIGGER forged BEFORE UPDATE ON of_mine FOR EACH ROW"
            " EXECUTE FUNCTION public.sheet_to_bigquery_track_owner()",
        ):
            with pytest.raises(Exception, match="permission denied"):
                ran(opened, forbidden)
    assert [row[3] for row in ran(tracked, AUDIT)][2:] == [portal.postgres_user] * 2
    assert ran(tracked, "SELECT cancel_requested_at IS NOT NULL FROM sheet_to_bigquery_runs") == [[True]]


def test_a_role_that_puts_tables_of_its_own_before_ours_deceives_nobody(tracked: Any, portal: Database) -> None:
    with connect(portal) as opened:
        ran(
            opened,
            "CREATE TEMP TABLE sheet_to_bigquery_owner_changes (config_id bigint, config_name text,"
            " changed_by text, reason text, before text, after text)",
        )
        ran(opened, MARK_SOME)
    assert len(ran(tracked, AUDIT)) == 2


def test_more_configs_than_one_statement_lists_are_told_all_of_them(tracked: Any, migrated: Database, sql) -> None:
    sql(
        f"INSERT INTO {CONFIGS} (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id,"
        " bigquery_table_id, migration_status) SELECT 'c' || g, 'u', 'p', 'd', 't' || g, 'shadow'"
        " FROM generate_series(1, 40001) g"
    )
    with open_store(migrated) as store:
        found = store.list_owned()
        assert len({each.id for each in found}) == len(found) == 40_003
        assert len(store.shadow_ids()) == 40_001
        assert store.not_moved(1)[0] == 40_003


@pytest.mark.parametrize("operator", ["?", "#>>"])
def test_a_role_that_makes_operators_of_its_own_is_not_called_as_the_owner(
    operator: str, tracked: Any, portal: Database
) -> None:
    """For a literal without a type, PostgreSQL would prefer one whose both sides are jsonb."""
    ran(tracked, f"GRANT CREATE ON SCHEMA public TO {portal.postgres_user}")
    # Portals store JSON as text, too.
    ran(tracked, f"""UPDATE {CONFIGS} SET options = '"{{}}"'""")
    with connect(portal) as opened:
        ran(
            opened,
            "CREATE FUNCTION public.steals(jsonb, jsonb) RETURNS boolean LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$;"
            f" CREATE OPERATOR public.{operator} (LEFTARG = jsonb, RIGHTARG = jsonb, FUNCTION = public.steals)",
        )
        ran(opened, MARK_ALL)
    assert ran(tracked, f"SELECT DISTINCT options FROM {CONFIGS}") == [[{"parity": True}]]


@pytest.mark.parametrize("typo", ["jobready", "Service", ""])
def test_a_mark_that_there_is_none_of_is_refused_with_those_there_are(typo: str, tracked: Any) -> None:
    for statement in (
        f"UPDATE {CONFIGS} SET migration_status = '{typo}'",
        f"INSERT INTO {CONFIGS} (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id,"
        f" bigquery_table_id, migration_status) VALUES ('new', 'u', 'p', 'd', 't', '{typo}')",
    ):
        with pytest.raises(Exception, match="migration_status has to be service, shadow or job_ready"):
            ran(tracked, statement)
    assert marks(tracked) == {"sales": "service", "stock": "service"}
    assert ran(tracked, AUDIT) == []


def test_null_is_the_services_and_no_change_from_it(tracked: Any) -> None:
    ran(tracked, f"UPDATE {CONFIGS} SET migration_status = NULL")
    ran(tracked, f"UPDATE {CONFIGS} SET migration_status = 'service'")
    assert ran(tracked, AUDIT) == []


@pytest.mark.parametrize(
    ("options", "then"),
    [
        (None, {"parity": True}),
        ("null", {"parity": True}),
        ('{"range": "A1:C"}', {"range": "A1:C", "parity": True}),
        ('{"parity": false}', {"parity": False}),
        ('"{\\"range\\": \\"A1:C\\"}"', {"range": "A1:C", "parity": True}),
        ('" "', {"parity": True}),
        ('"no json"', "no json"),
        ("[1]", [1]),
    ],
)
def test_a_config_that_becomes_the_jobs_keeps_the_shape_of_the_services_table(
    options: str | None, then: Any, tracked: Any
) -> None:
    given = "NULL" if options is None else f"'{options}'"
    ran(tracked, f"UPDATE {CONFIGS} SET options = {given}")
    ran(tracked, f"UPDATE {CONFIGS} SET migration_status = 'shadow'")
    assert ran(tracked, f"SELECT name FROM {CONFIGS} WHERE options @> '{{\"parity\": true}}'") == []
    ran(tracked, f"UPDATE {CONFIGS} SET migration_status = 'job_ready'")
    assert ran(tracked, f"SELECT options FROM {CONFIGS} WHERE name = 'sales'") == [[then]]


def in_flight(now: datetime = NOON) -> dict[str, Any]:
    """What a run that is launching or running has."""
    return {
        "attempt": 1,
        "claimed_at": now,
        "had_last_run": False,
        "job_project": "p",
        "job_location": "US",
        "execution": "e",
        "lease_until": now + timedelta(days=36_500),
        "deadline": now + timedelta(days=36_500),
    }


WISHED = "SELECT cancel_requested_at IS NOT NULL, lease_until <= now() FROM sheet_to_bigquery_runs ORDER BY config_id"


@pytest.mark.parametrize(
    ("before", "after", "wished"),
    [
        ("job_ready", "service", True),
        ("job_ready", "shadow", True),
        ("shadow", "service", True),
        ("shadow", "job_ready", True),
        ("service", "job_ready", False),
    ],
)
def test_what_is_in_flight_for_the_old_owner_is_wished_to_end(
    before: str, after: str, wished: bool, tracked: Any, add_run
) -> None:
    ran(tracked, f"UPDATE {CONFIGS} SET migration_status = '{before}'")
    sales, stock = (number for (number,) in ran(tracked, f"SELECT id FROM {CONFIGS} ORDER BY id"))
    for number in (sales, stock):
        add_run(number, NOON, state="running", **in_flight())
    ran(tracked, f"UPDATE {CONFIGS} SET migration_status = '{after}' WHERE id = {sales}")
    assert ran(tracked, WISHED) == [[wished, wished], [False, False]]


def test_who_marks_a_config_does_not_wait_for_who_closes_its_run(tracked: Any, migrated: Database, add_run) -> None:
    """A run's end locks the run first and the config then, a mark the other way round."""
    ran(tracked, MARK_ALL)
    [[number]] = ran(tracked, f"SELECT id FROM {CONFIGS} WHERE name = 'sales'")
    add_run(number, NOON, state="running", **in_flight())
    errors: list[BaseException] = []

    def close() -> None:
        try:
            with connect(migrated) as other:
                ran(other, "BEGIN")
                ran(other, "SELECT FROM sheet_to_bigquery_runs FOR UPDATE")
                locked.set()
                marking.wait(30)
                ran(other, f"UPDATE {CONFIGS} SET last_run = now() WHERE id = {number}")
                ran(other, "COMMIT")
        except BaseException as error:
            errors.append(error)
            raise

    locked, marking = threading.Event(), threading.Event()
    closing = threading.Thread(target=close)
    closing.start()
    assert locked.wait(30)
    ran(tracked, "BEGIN")
    begun = time.monotonic()
    ran(tracked, ALL_BACK)
    assert time.monotonic() - begun < 1  # the deadlock would be found after that
    marking.set()
    time.sleep(0.2)
    ran(tracked, "COMMIT")
    closing.join(30)
    assert errors == []
    assert marks(tracked) == {"sales": "service", "stock": "service"}
