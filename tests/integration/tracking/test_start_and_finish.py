"""Tracking who owns each config's table: begun on any table, and back to where it began."""

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import DatabaseUnavailable, InvalidInput, InvalidSettings
from shared.ledger.connection import connect
from shared.settings import Database
from sql.migrations import down, up, versions
from sql.tracking import finish, start
from tests.integration.test_migrations import described, ran
from tests.integration.tracking.conftest import ALL_BACK, AUDIT, CONFIGS, GUIDES_COLUMN, MARK_ALL, NOON, marks

GUIDES_VIEW = (
    f"CREATE OR REPLACE VIEW active_job_configs AS SELECT * FROM {CONFIGS}"
    " WHERE is_active = true AND migration_status = 'job_ready'"
)
VALIDATE = """
SELECT config_name, service_last_run, job_last_run, service_row_count, job_row_count,
  CASE WHEN service_row_count = job_row_count THEN 'MATCH' ELSE 'MISMATCH' END as validation_status
FROM comparison_view
"""


def shown(connection: Any) -> list[str]:
    return [name for (name,) in ran(connection, "SELECT name FROM active_job_configs ORDER BY name")]


@pytest.mark.parametrize("default", ["service", "job_ready"])
def test_configs_that_are_there_are_the_services_and_new_ones_whose_the_default_says(
    default: Any, connection: Any, add_config
) -> None:
    add_config("sales")
    assert list(start(connection, CONFIGS, default)) == [
        f"migration_status: added to {CONFIGS}; every config there is service, one that others add {default}",
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


def test_a_paused_config_of_the_services_does_not_stop_finish(tracked: Any) -> None:
    ran(tracked, f"UPDATE {CONFIGS} SET migration_status = 'job_ready' WHERE name = 'sales'")
    ran(tracked, f"UPDATE {CONFIGS} SET is_active = false WHERE name = 'stock'")
    assert f"migration_status: dropped from {CONFIGS}" in finish(tracked, CONFIGS)


@pytest.mark.parametrize("shown", [CONFIGS, "active_job_configs"])
def test_finish_names_who_else_shows_the_column_and_changes_nothing(shown: str, tracked: Any) -> None:
    ran(tracked, MARK_ALL)
    ran(tracked, f"CREATE VIEW of_mine AS SELECT name, migration_status FROM {shown}")
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
