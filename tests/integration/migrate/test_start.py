"""`migrate.py start`: marks, and the audit, without touching what is there."""

import json
from datetime import UTC, datetime

import pytest

GUIDES_COLUMN = "ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status varchar(50)"


def test_every_config_is_the_services_and_new_ones_as_well(migrate, add_config, sql) -> None:
    add_config("old")
    done = migrate("start")
    assert (done.returncode, "configs: 1 service" in done.stdout) == (0, True)
    add_config("new")
    assert sql("SELECT name, migration_status FROM sheet_to_bigquery_configs ORDER BY id") == [
        ["old", "service"],
        ["new", "service"],
    ]


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_what_the_job_runs_by_the_clock_and_will_no_more_is_told_once(
    dry_run: tuple[str, ...], migrate, add_config, add_run
) -> None:
    loaded, failed = add_config("loaded"), add_config("failed")
    noon = datetime(2026, 3, 29, 12, tzinfo=UTC)
    add_run(loaded, noon)
    add_run(failed, noon, state="failed")
    add_run(add_config("paused", is_active=False), noon)
    add_config("never")
    told = f'the job has run 2 of these configs (config {loaded} "loaded", config {failed} "failed")'
    assert told in migrate("start", *dry_run).stderr
    if not dry_run:
        assert told not in migrate("start").stderr


def test_new_configs_can_be_the_jobs(migrate, add_config, sql) -> None:
    migrate("start", "--new", "job_ready")
    add_config("new")
    assert sql("SELECT migration_status FROM sheet_to_bigquery_configs") == [["job_ready"]]


def test_starting_again_changes_nothing(migrate, add_config, sql) -> None:
    config_id = add_config()
    migrate("start")
    sql("UPDATE sheet_to_bigquery_configs SET migration_status = 'shadow' WHERE id = :id", id=config_id)
    done = migrate("start")
    assert (done.returncode, "1 shadow" in done.stdout) == (0, True)


def test_the_guides_own_column_is_taken_as_it_is(migrate, add_config, sql) -> None:
    sql(GUIDES_COLUMN)
    add_config("unmarked")
    add_config("marked", migration_status="job_ready")
    told = json.loads(migrate("start", "--json").stdout)
    assert told["configs"] == {"service": 1, "job_ready": 1}
    assert sql("SELECT migration_status FROM sheet_to_bigquery_configs ORDER BY id") == [[None], ["job_ready"]]


def test_who_began_it_is_the_first_line_of_the_audit_however_often_they_do(migrate, add_config) -> None:
    add_config()
    for _ in range(2):
        migrate("start", "--actor", "ana@desk", "--new", "job_ready")
    (line,) = json.loads(migrate("history", "--json").stdout)
    assert (line["config_id"], line["before"], line["after"]) == (None, "untracked", "tracked")
    assert (line["changed_by"], line["reason"]) == ("ana@desk", "a config that others add is job_ready")
    assert "all" in migrate("history").stdout


def test_a_dry_run_adds_nothing(migrate, add_config, sql) -> None:
    add_config()
    done = migrate("start", "--dry-run")
    assert (done.returncode, "would add migration_status" in done.stdout) == (0, True)
    assert sql("SELECT to_jsonb(c) ? 'migration_status' FROM sheet_to_bigquery_configs c") == [[False]]


@pytest.mark.parametrize("command", [("start",), ("start", "--dry-run"), ("status",), ("history",), ("finish",)])
def test_a_database_that_is_behind_is_told_the_command(command, migrate, sql) -> None:
    sql("DROP TABLE sheet_to_bigquery_comparisons, sheet_to_bigquery_forwards, sheet_to_bigquery_owner_changes")
    sql("DELETE FROM sheet_to_bigquery_migrations WHERE version LIKE '0010%'")
    done = migrate(*command)
    assert done.returncode != 0
    assert "python -m sql up" in done.stderr


@pytest.mark.parametrize(
    "command", [("status",), ("shadow", "1"), ("compare",), ("promote", "1"), ("rollback", "1"), ("rollback", "--all")]
)
def test_before_the_start_the_other_commands_name_it(command, migrate, add_config, sql) -> None:
    sql(GUIDES_COLUMN)  # a column alone writes nothing down
    add_config()
    done = migrate(*command)
    assert (done.returncode, "`python migrate.py start`" in done.stderr) == (1, True)
    assert sql("SELECT migration_status FROM sheet_to_bigquery_configs") == [[None]]
