"""Tracking who owns each config's table: on any table, by anybody's SQL, and back to where it began."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pg8000.native
import pytest

from local.ports import HOST
from local.postgres import Postgres
from shared.errors import DatabaseUnavailable, InvalidInput, InvalidSettings
from shared.ledger.connection import connect
from shared.settings import Database
from sql.migrations import down, up, versions
from sql.tracking import finish, start
from tests.integration.test_migrations import described, ran

CONFIGS = "sheet_to_bigquery_configs"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
# The guide's own statements.
GUIDES_COLUMN = f"ALTER TABLE {CONFIGS} ADD COLUMN migration_status VARCHAR(20)"
MARK_SOME = f"UPDATE {CONFIGS} SET migration_status = 'job_ready' WHERE name IN ('sales', 'stock', 'nobody')"
MARK_ALL = f"""
UPDATE {CONFIGS} SET migration_status = 'job_ready' WHERE migration_status IS NULL OR migration_status = 'service'
"""
ALL_BACK = f"UPDATE {CONFIGS} SET migration_status = 'service' WHERE migration_status = 'job_ready'"
GUIDES_VIEW = (
    f"CREATE OR REPLACE VIEW active_job_configs AS SELECT * FROM {CONFIGS}"
    " WHERE is_active = true AND migration_status = 'job_ready'"
)
VALIDATE = """
SELECT config_name, service_last_run, job_last_run, service_row_count, job_row_count,
  CASE WHEN service_row_count = job_row_count THEN 'MATCH' ELSE 'MISMATCH' END as validation_status
FROM comparison_view
"""
AUDIT = "SELECT config_name, before, after, changed_by, reason FROM sheet_to_bigquery_owner_changes ORDER BY id"


@pytest.fixture
def connection(migrated: Database) -> Iterator[Any]:
    with connect(migrated) as opened:
        yield opened


@pytest.fixture
def tracked(connection: Any, add_config) -> Any:
    """A connection to a database whose two configs are the older service's."""
    for name in ("sales", "stock"):
        add_config(name)
    list(start(connection, CONFIGS))
    return connection


@pytest.fixture
def portal(migrated: Database, postgres: Postgres) -> Iterator[Database]:
    """The database as the portal's role sees it, which may write the configs and nothing else."""
    name = f"portal_of_{migrated.postgres_db}"
    login: dict[str, Any] = {"host": HOST, "port": postgres.port, "password": postgres.password}
    admin = pg8000.native.Connection("postgres", database=migrated.postgres_db, **login)
    admin.run(f"CREATE ROLE {name} LOGIN PASSWORD 'portal'")
    admin.run(f"GRANT SELECT, INSERT, UPDATE ON {CONFIGS} TO {name}")
    admin.run(f"GRANT USAGE ON SEQUENCE {CONFIGS}_id_seq TO {name}")
    yield msgspec.structs.replace(migrated, postgres_user=name, postgres_password="portal")
    admin.run(f"DROP OWNED BY {name}; DROP ROLE {name}")
    admin.close()


def marks(connection: Any) -> dict[str, str | None]:
    return dict(ran(connection, f"SELECT name, migration_status FROM {CONFIGS} ORDER BY id"))


def shown(connection: Any) -> list[str]:
    return [name for (name,) in ran(connection, "SELECT name FROM active_job_configs ORDER BY name")]


# -- start ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("default", ["service", "job_ready"])
def test_configs_that_are_there_are_the_services_and_new_ones_whose_the_default_says(
    default: Any, connection: Any, add_config
) -> None:
    add_config("sales")
    assert list(start(connection, CONFIGS, default)) == [
        f"migration_status: added to {CONFIGS}; every config there is service, a new one {default}",
        "every change of a mark is written to sheet_to_bigquery_owner_changes",
        "active_job_configs: shows the active configs that are job_ready",
        "comparison_view: shows the newest comparison of each config",
    ]
    add_config("stock")
    assert marks(connection) == {"sales": "service", "stock": default}
    assert shown(connection) == (["stock"] if default == "job_ready" else [])
    assert ran(connection, AUDIT) == []


def test_starting_again_changes_nothing(tracked: Any) -> None:
    before = described(tracked)
    assert f"migration_status: there already in {CONFIGS}, taken as it is (NULL is service)" in start(
        tracked, CONFIGS, "job_ready"
    )
    assert described(tracked) == before


def test_the_guides_own_column_is_taken_as_it_is(connection: Any, add_config) -> None:
    add_config("sales")
    ran(connection, GUIDES_COLUMN)
    add_config("stock", migration_status="job_ready")
    add_config("costs", migration_status="migrated")
    told = list(start(connection, CONFIGS, "job_ready"))
    assert "1 configs have a mark that is none of service, shadow and job_ready: they count as the service's" in told
    add_config("later")
    assert marks(connection) == {"sales": None, "stock": "job_ready", "costs": "migrated", "later": None}
    ran(connection, f"UPDATE {CONFIGS} SET migration_status = 'shadow' WHERE name IN ('sales', 'costs')")
    assert [row[:3] for row in ran(connection, AUDIT)] == [
        ["sales", "service", "shadow"],
        ["costs", "migrated", "shadow"],
    ]


def test_views_that_somebody_else_made_stay_and_are_told(connection: Any, add_config) -> None:
    add_config("sales")
    ran(connection, f"CREATE OR REPLACE VIEW active_job_configs AS SELECT * FROM {CONFIGS} WHERE id > 7")
    ran(connection, "CREATE VIEW comparison_view AS SELECT 1 AS mine")
    before = described(connection)["views"]
    told = list(start(connection, CONFIGS))
    assert told[-2:] == [
        f"{view}: is somebody else’s, and left as it is" for view in ("active_job_configs", "comparison_view")
    ]
    assert described(connection)["views"] == before
    ran(connection, f"UPDATE {CONFIGS} SET migration_status = 'job_ready'")
    list(finish(connection, CONFIGS))
    assert described(connection)["views"] == before


def test_the_view_that_up_makes_again_while_configs_are_marked_is_the_narrowed_one(tracked: Any) -> None:
    before = described(tracked)["views"]
    ran(tracked, "DROP VIEW active_job_configs")
    assert list(up(tracked, CONFIGS)) == [f"active_job_configs: made on {CONFIGS}"]
    assert described(tracked)["views"] == before


def test_a_database_that_lacks_a_migration_or_the_table_is_told_and_left(database: Database) -> None:
    with connect(database) as connection:
        with pytest.raises(InvalidSettings, match=f"there is no table {CONFIGS}"):
            list(start(connection, CONFIGS))
        list(up(connection, CONFIGS))
        list(down(connection, CONFIGS))
        before = described(connection)
        for verb in (start, finish):
            with pytest.raises(InvalidSettings, match=rf"lacks {versions()[-1]}: run `python -m sql up`"):
                list(verb(connection, CONFIGS))
        assert described(connection) == before


@pytest.mark.parametrize("verb", [start, finish])
def test_a_locked_table_is_left_alone_and_said(verb: Any, migrated: Database, tracked: Any) -> None:
    ran(tracked, MARK_ALL)
    with connect(migrated) as other:
        ran(other, "BEGIN")
        ran(other, f"LOCK TABLE {CONFIGS} IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseUnavailable, match="locked by somebody"):
            list(verb(tracked, CONFIGS))
        ran(other, "ROLLBACK")
    assert marks(tracked) == {"sales": "job_ready", "stock": "job_ready"}


# -- the trigger ---------------------------------------------------------------------------------------------


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


# -- comparison_view -----------------------------------------------------------------------------------------


def test_the_guides_query_finds_the_newest_comparison_of_each_config(tracked: Any, sql) -> None:
    add = """
    INSERT INTO sheet_to_bigquery_comparisons (config_id, config_name, compared_at, service_table, job_table, verdict,
        service_loaded_at, job_loaded_at, service_rows, job_rows)
    VALUES (:config, :name, :at, 's', 'j', :verdict, :at, :at, :service, :job)"""
    hour = timedelta(hours=1)
    sql(add, config=1, name="sales", at=NOON, verdict="MISMATCH", service=7, job=6)
    sql(add, config=1, name="sales", at=NOON + hour, verdict="MATCH", service=7, job=7)
    sql(add, config=2, name="stock", at=NOON, verdict="MISMATCH", service=3, job=2)
    assert ran(tracked, VALIDATE) == [
        ["sales", NOON + hour, NOON + hour, 7, 7, "MATCH"],
        ["stock", NOON, NOON, 3, 2, "MISMATCH"],
    ]


# -- finish --------------------------------------------------------------------------------------------------


def test_finish_ends_where_start_began_and_keeps_the_evidence(connection: Any, add_config) -> None:
    add_config("sales")
    before = described(connection)
    list(start(connection, CONFIGS))
    ran(connection, MARK_ALL)
    assert list(finish(connection, CONFIGS)) == [
        f"migration_status: dropped from {CONFIGS}",
        f"active_job_configs: made on {CONFIGS}",
    ]
    assert described(connection) == before
    assert len(ran(connection, AUDIT)) == 1
    assert list(finish(connection, CONFIGS)) == [f"migration_status: not there in {CONFIGS}"]
    list(start(connection, CONFIGS))
    assert marks(connection) == {"sales": "service"}


def test_finish_takes_the_guides_view_and_column_too(connection: Any, add_config) -> None:
    add_config("sales")
    before = described(connection)
    ran(connection, GUIDES_COLUMN)
    ran(connection, GUIDES_VIEW)
    list(start(connection, CONFIGS))
    ran(connection, MARK_ALL)
    list(finish(connection, CONFIGS))
    assert described(connection) == before


def test_finish_refuses_while_a_config_is_not_the_jobs_unless_told(tracked: Any) -> None:
    ran(tracked, f"UPDATE {CONFIGS} SET migration_status = 'job_ready' WHERE name = 'sales'")
    before = described(tracked)
    with pytest.raises(InvalidInput, match=r'not job_ready yet: config \d+ "stock": promote them'):
        list(finish(tracked, CONFIGS))
    assert described(tracked) == before
    assert f"migration_status: dropped from {CONFIGS}" in finish(tracked, CONFIGS, anyway=True)


def test_finish_names_who_else_shows_the_column_and_changes_nothing(tracked: Any) -> None:
    ran(tracked, MARK_ALL)
    ran(tracked, f"CREATE VIEW of_mine AS SELECT name, migration_status FROM {CONFIGS}")
    before = described(tracked)
    with pytest.raises(InvalidInput, match="shown by of_mine, which is not ours: drop it"):
        list(finish(tracked, CONFIGS))
    assert described(tracked) == before


def test_a_second_configs_table_is_tracked_for_itself(tracked: Any) -> None:
    ran(tracked, f"CREATE TABLE second (LIKE {CONFIGS} INCLUDING DEFAULTS)")
    ran(tracked, "ALTER TABLE second DROP COLUMN migration_status")
    list(up(tracked, "second"))
    list(start(tracked, "second"))
    list(finish(tracked, "second"))
    ran(tracked, MARK_ALL)
    assert len(ran(tracked, AUDIT)) == 2


def test_taking_all_back_leaves_the_marks_and_nothing_that_stands_in_their_way(tracked: Any) -> None:
    list(down(tracked, CONFIGS))
    while list(down(tracked, CONFIGS)) != ["nothing to take back"]:
        pass
    assert described(tracked)["triggers"] == described(tracked)["functions"] == described(tracked)["views"] == []
    ran(tracked, MARK_ALL)
    assert marks(tracked) == {"sales": "job_ready", "stock": "job_ready"}
    list(up(tracked, CONFIGS))
    list(start(tracked, CONFIGS))
    ran(tracked, ALL_BACK)
    assert len(ran(tracked, AUDIT)) == 2
