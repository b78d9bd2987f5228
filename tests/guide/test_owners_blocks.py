"""The owner's guide, block by block: what `owners_blocks.md` says of each holds.

What runs as written is run here as people have it, names of their project aside; of what was corrected or replaced
it is shown why.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from local.environment import PROJECT
from local.ports import HOST
from local.system import REPOSITORY, System
from tests.deploy.linter import lint
from tests.guide.reader import statements

Sql = Callable[[str], list[Any]]
Command = Callable[..., str]
# The table of who has used the guide so far: what the older orchestrator never needed is not there.
OWNERS_TABLE = """
CREATE TABLE sheet_to_bigquery_configs (
    id SERIAL PRIMARY KEY, name VARCHAR(255) NOT NULL, google_sheet_url TEXT NOT NULL,
    google_sheet_tab_name VARCHAR(255), google_cloud_project_id VARCHAR(255) NOT NULL,
    bigquery_dataset_id VARCHAR(255) NOT NULL, bigquery_table_id VARCHAR(255) NOT NULL,
    schema_handling VARCHAR(50) DEFAULT 'auto_detect', custom_schema JSONB
);
INSERT INTO sheet_to_bigquery_configs
    (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id, bigquery_table_id)
SELECT each, 'https://docs.google.com/spreadsheets/d/abcdefghij/edit', 'hkd-reporting', 'reports', each
FROM unnest(ARRAY['config1', 'config2', 'migration_test_2']) each
"""
STEP_2 = """
ALTER TABLE sheet_to_bigquery_configs
ADD COLUMN IF NOT EXISTS last_run TIMESTAMP WITH TIME ZONE,
ADD COLUMN IF NOT EXISTS run_frequency_hours INTEGER DEFAULT 24,
ADD COLUMN IF NOT EXISTS is_active BOOLEAN DEFAULT true,
ADD COLUMN IF NOT EXISTS created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
ADD COLUMN IF NOT EXISTS updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW();
CREATE INDEX IF NOT EXISTS idx_configs_active_last_run ON sheet_to_bigquery_configs(is_active, last_run);
UPDATE sheet_to_bigquery_configs SET run_frequency_hours = 24, is_active = true WHERE run_frequency_hours IS NULL
"""
ADD_MARK = "ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status VARCHAR(20)"
MARK_SOME = (
    "UPDATE sheet_to_bigquery_configs SET migration_status = 'job_ready'"
    " WHERE name IN ('config1', 'config2', 'config3')"
)
MAKE_VIEW = (
    "CREATE VIEW active_job_configs AS SELECT * FROM sheet_to_bigquery_configs"
    " WHERE is_active = true AND migration_status = 'job_ready'"
)
MARK_ALL = (
    "UPDATE sheet_to_bigquery_configs SET migration_status = 'job_ready'"
    " WHERE migration_status IS NULL OR migration_status = 'service'"
)
COUNT = (
    "SELECT COUNT(*) AS total_configs, COUNT(CASE WHEN migration_status = 'job_ready' THEN 1 END) AS job_ready,"
    " COUNT(CASE WHEN is_active = true THEN 1 END) AS active_configs FROM sheet_to_bigquery_configs"
)
COMPARE = (
    "SELECT config_name, service_last_run, job_last_run, service_row_count, job_row_count,"
    " CASE WHEN service_row_count = job_row_count THEN 'MATCH' ELSE 'MISMATCH' END as validation_status"
    " FROM comparison_view"
)
DROP_MARK = "ALTER TABLE sheet_to_bigquery_configs DROP COLUMN IF EXISTS migration_status"
DELETE_TESTS = "DELETE FROM sheet_to_bigquery_configs WHERE name LIKE 'migration_test%'"
ALL_BACK = "UPDATE sheet_to_bigquery_configs SET migration_status = 'service' WHERE migration_status = 'job_ready'"
SOME_BACK = "UPDATE sheet_to_bigquery_configs SET migration_status = 'service' WHERE name IN ('config1', 'config9')"
AT = "--region=us-central1"
FILTER = 'resource.type="cloud_run_job" AND resource.labels.job_name="sheettobigquery-job" AND '
AS_WRITTEN = [
    f"gcloud run jobs describe sheettobigquery-job {AT}",
    "gcloud logging metrics create sheet_to_bigquery_job_success --description=Successful"
    f" --log-filter='{FILTER}textPayload:\"Job completed successfully\"'",
    "gcloud logging metrics create sheet_to_bigquery_job_failure --description=Failed"
    f' --log-filter=\'{FILTER}(textPayload:"Job execution failed" OR severity="ERROR")\'',
    f"gcloud run services describe service-sheettobigquery {AT}"
    ' --format="value(status.conditions[0].type,status.conditions[0].status)"',
    f"gcloud run services delete service-sheettobigquery {AT}",
    'gcloud compute firewall-rules list --filter="name~postgres"',
    'gcloud projects get-iam-policy hkd-reporting --flatten="bindings[].members"'
    ' --filter="bindings.members:*sheettobigquery*"',
]


@pytest.fixture
def database(system: System) -> Iterator[str]:
    """A database with the owner's table alone, and its name."""
    settings = system.settings
    admin = pg8000.native.Connection(
        "postgres",
        host=HOST,
        port=int(settings["POSTGRES_PORT"]),
        database="postgres",
        password=settings["POSTGRES_PASSWORD"],
    )
    admin.run("CREATE DATABASE of_the_owner")
    admin.run(f"ALTER DATABASE of_the_owner OWNER TO {settings['POSTGRES_USER']}")
    yield "of_the_owner"
    admin.run("DROP DATABASE of_the_owner WITH (FORCE)")
    admin.close()


@pytest.fixture
def sql(system: System, database: str) -> Iterator[Sql]:
    """Runs the statements of a script in it as the table's owner, and gives the last one's rows."""
    settings = system.settings
    connection = pg8000.native.Connection(
        settings["POSTGRES_USER"],
        host=HOST,
        port=int(settings["POSTGRES_PORT"]),
        database=database,
        password=settings["POSTGRES_PASSWORD"],
    )

    def run(script: str) -> list[Any]:
        return [connection.run(statement) for statement in statements(script)][-1]

    run(OWNERS_TABLE)
    yield run
    connection.close()


@pytest.fixture
def command(system: System, database: str) -> Command:
    """A command of ours on it, and what it tells."""

    def run(*words: str) -> str:
        environment = {**system.environment, "POSTGRES_DB": database}
        done = subprocess.run(
            [sys.executable, *words], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def sql_up(command: Command) -> Callable[[], str]:
    """`python -m sql up` on it, and what it tells."""
    return lambda: command("-m", "sql", "up")


@pytest.fixture
def started(sql: Sql, sql_up, command: Command) -> Sql:
    """As the guide's step 2 leaves it: with the marks."""
    sql(STEP_2)
    sql_up()
    command("migrate.py", "start")
    return sql


def marks(sql: Sql) -> dict[str, str | None]:
    return dict(sql("SELECT name, migration_status FROM sheet_to_bigquery_configs ORDER BY name"))


def test_the_columns_and_the_index_can_be_added_before_and_after_ours_and_twice(sql: Sql, sql_up) -> None:
    sql(STEP_2)
    sql_up()
    sql(STEP_2)
    assert sql("SELECT DISTINCT run_frequency_hours, is_active, last_run FROM sheet_to_bigquery_configs") == [
        [24, True, None]
    ]
    assert "nothing to apply" in sql_up()


def test_the_services_log_is_read_before_any_column_is_added(
    sql: Sql, database: str, system: System, tmp_path: Path
) -> None:
    begin = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
    lines = [
        {"timestamp": (begin + timedelta(hours=6 * each)).isoformat(), "textPayload": "config1"} for each in range(9)
    ]
    (tmp_path / "logs.json").write_text(json.dumps(lines))
    command = [sys.executable, str(REPOSITORY / "job_helper.py"), "usage", "--logs", str(tmp_path / "logs.json")]
    environment = {**system.environment, "POSTGRES_DB": database}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [proposed] = [line for line in done.stdout.splitlines() if line.startswith("UPDATE")]
    sql(STEP_2)
    sql(proposed.rstrip(";"))
    assert sql("SELECT run_frequency_hours FROM sheet_to_bigquery_configs WHERE name = 'config1'") == [[6]]


def test_no_config_can_be_marked_before_the_column_is_added_and_every_one_after(sql: Sql) -> None:
    sql(STEP_2)
    with pytest.raises(pg8000.native.DatabaseError, match="migration_status"):
        sql(MARK_SOME)
    sql(ADD_MARK)
    sql(MARK_SOME)
    assert marks(sql) == {"config1": "job_ready", "config2": "job_ready", "migration_test_2": None}
    sql(MARK_ALL)
    assert sql(COUNT) == [[3, 3, 3]]


def test_marks_are_set_and_taken_back_as_written_behind_start_and_each_is_written_down(started: Sql) -> None:
    started(MARK_SOME)
    assert marks(started) == {"config1": "job_ready", "config2": "job_ready", "migration_test_2": "service"}
    started(MARK_ALL)
    assert started(COUNT) == [[3, 3, 3]]
    assert started("SELECT DISTINCT options FROM sheet_to_bigquery_configs") == [[{"parity": True}]]
    started(SOME_BACK)
    assert marks(started) == {"config1": "service", "config2": "job_ready", "migration_test_2": "job_ready"}
    started(ALL_BACK)
    assert set(marks(started).values()) == {"service"}
    audit = """SELECT config_name, after FROM sheet_to_bigquery_owner_changes WHERE config_id IS NOT NULL
        ORDER BY config_id, id"""
    each = ["job_ready", "service"]
    assert started(audit) == [[name, after] for name in ("config1", "config2", "migration_test_2") for after in each]


def test_a_column_that_the_owner_added_is_taken_as_it_is(sql: Sql, sql_up, command: Command) -> None:
    sql(ADD_MARK)
    sql(MARK_SOME)
    sql_up()
    assert "taken as it is (NULL is service)" in command("migrate.py", "start")
    assert marks(sql) == {"config1": "job_ready", "config2": "job_ready", "migration_test_2": None}


def test_the_view_as_written_is_refused_beside_starts_and_replaces_it_by_one_more_word(started: Sql, sql_up) -> None:
    started(MARK_SOME)
    with pytest.raises(pg8000.native.DatabaseError, match="already exists"):
        started(MAKE_VIEW)
    shown = [["config1"], ["config2"]]
    assert started("SELECT name FROM active_job_configs ORDER BY name") == shown
    started(MAKE_VIEW.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"))
    assert started("SELECT name FROM active_job_configs ORDER BY name") == shown
    # Where the owner's view was there first, ours leaves it as it is.
    sql_up()
    assert started("SELECT COUNT(*) FROM active_job_configs") == [[2]]


def test_the_comparison_runs_as_written_over_what_compare_keeps(started: Sql) -> None:
    started(
        "INSERT INTO sheet_to_bigquery_comparisons (config_id, config_name, service_table, job_table, verdict,"
        " service_loaded_at, job_loaded_at, service_rows, job_rows)"
        " SELECT id, name, name, name, 'MATCH', now(), now(), 48, 46 + id FROM sheet_to_bigquery_configs"
    )
    assert [[row[0], *row[3:]] for row in started(COMPARE)] == [
        ["config1", 48, 47, "MISMATCH"],
        ["config2", 48, 48, "MATCH"],
        ["migration_test_2", 48, 49, "MISMATCH"],
    ]


def test_the_column_is_dropped_only_behind_the_view_which_finish_does(started: Sql, command: Command) -> None:
    with pytest.raises(pg8000.native.DatabaseError, match="active_job_configs depends"):
        started(DROP_MARK)
    started(MARK_ALL)
    command("migrate.py", "finish", "--yes")
    started(DROP_MARK)
    started(DELETE_TESTS)
    assert started("SELECT name FROM sheet_to_bigquery_configs ORDER BY name") == [["config1"], ["config2"]]


def test_the_orchestrators_flags_name_the_database_and_nothing_else_has_to(system: System, tmp_path: Path) -> None:
    given = {
        name: value
        for name, value in system.environment.items()
        if not name.startswith("POSTGRES_") or name == "POSTGRES_SSLMODE"
    }
    flags = [
        f"--postgres-{name}={system.settings[f'POSTGRES_{name.upper()}']}"
        for name in ("host", "port", "db", "user", "password")
    ]
    for extra in (["--dry-run"], ["--max-parallel-jobs=2", "--config-names", "nobody"]):
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "job_orchestrator.py"), *flags, *extra],
            cwd=tmp_path,
            env=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == ("nobody" in extra), done.stderr
        assert ("dry run at" in done.stdout) == ("--dry-run" in extra)


def test_the_files_of_configs_and_settings_are_read_as_the_owner_writes_them(system: System, tmp_path: Path) -> None:
    config = {
        "name": "migration_test",
        "google_sheet_url": "https://docs.google.com/spreadsheets/d/inventory/edit",
        "google_cloud_project_id": PROJECT,
        "bigquery_dataset_id": "test_dataset",
        "bigquery_table_id": "migration_test",
        "schema_handling": "auto_detect",
    }
    (tmp_path / "test_config.json").write_text(json.dumps(config))
    settings = system.settings
    lines = [f"POSTGRES_{name}: '{settings[f'POSTGRES_{name}']}'" for name in ("HOST", "DB", "USER", "PORT")]
    (tmp_path / "orchestrator-env.yaml").write_text("\n".join(lines) + "\n")
    for script, arguments in (
        ("job_helper.py", ["plan", "--config-file", "test_config.json"]),
        ("job_orchestrator.py", ["--config-file", "orchestrator-env.yaml", "--dry-run"]),
    ):
        command = [sys.executable, str(REPOSITORY / script), *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=dict(system.environment), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_gclouds_own_linter_takes_what_is_kept_and_refuses_what_is_no_command() -> None:
    assert lint(AS_WRITTEN) == []
    [refused] = lint(['gcloud logs read "resource.type=cloud_run_revision" --limit=1000'])
    assert "Invalid choice: 'logs'" in refused


def test_the_packages_have_no_psycopg2() -> None:
    assert "psycopg" not in (REPOSITORY / "requirements.txt").read_text()


def test_the_table_tells_of_each_of_the_owners_22_blocks_what_became_of_it_and_why() -> None:
    text = (REPOSITORY / "tests" / "guide" / "owners_blocks.md").read_text()
    _, table = text.split("| block | what became of it | because |\n|---|---|---|\n")
    rows = [re.fullmatch(r"\| (.+?) \| (.+?) \| (.+?) \|", line) for line in table.strip().splitlines()]
    assert len(rows) == 22
    for row in rows:
        assert row is not None
        block, became, because = row.groups()
        assert re.match(r"(Step \d+|Rollback|Performance|Issue \d)", block)
        assert re.search(r"runs? as written|corrected|replaced", became), block
        assert because.strip(), block
