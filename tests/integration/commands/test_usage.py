"""`job_helper.py usage`: the older service's log beside the configs in the database."""

import json
from datetime import UTC, datetime, timedelta

import pytest


@pytest.fixture
def logs(tmp_path) -> str:
    """A month of a service that loads `sales` at six in the morning, as gcloud prints it."""
    begin = datetime(2026, 3, 1, 6, 0, 30, tzinfo=UTC)
    entries = []
    for day in range(30):
        moment = (begin + timedelta(days=day)).isoformat().replace("+00:00", "Z")
        entries += [
            {"timestamp": moment, "textPayload": "Processing config: sales", "logName": "projects/p/logs/stdout"},
            {"timestamp": moment, "httpRequest": {"status": 200, "latency": "8.123456789s", "requestMethod": "POST"}},
        ]
    path = tmp_path / "service-logs.json"
    path.write_text(json.dumps(entries))
    return str(path)


def test_the_proposal_is_sql_that_makes_the_config_run_as_the_service_did(helper, sql, add_config, logs) -> None:
    config_id = add_config("sales", run_frequency_hours=4)
    add_config("never_seen")
    done = helper("usage", "--logs", logs)
    assert done.returncode == 0, done.stderr
    assert "requests    30, of which 0 failed" in done.stdout
    assert "seconds     8.1 in the middle, 8.1 for 95 of 100" in done.stdout
    assert "by hour     06:00 30 (the most) (UTC)" in done.stdout
    assert "too few runs to tell" in done.stdout
    (statement,) = [each for each in done.stdout.splitlines() if each.startswith("UPDATE")]
    sql(statement)
    assert sql("SELECT run_frequency_hours, last_run FROM sheet_to_bigquery_configs WHERE id = :id", id=config_id) == [
        [24, datetime(2026, 3, 30, 6, 0, tzinfo=UTC)]
    ]


def test_the_sql_names_a_table_whose_name_has_to_be_quoted(helper, environment, sql, add_config, logs) -> None:
    add_config("sales", run_frequency_hours=4)
    sql("CREATE SCHEMA portal")
    sql("ALTER TABLE sheet_to_bigquery_configs SET SCHEMA portal")
    sql('ALTER TABLE portal.sheet_to_bigquery_configs RENAME TO "Configs"')
    done = helper("usage", "--logs", logs, env=environment | {"CONFIGS_TABLE": "portal.Configs"})
    (statement,) = [each for each in done.stdout.splitlines() if each.startswith("UPDATE")]
    sql(statement)
    assert sql('SELECT run_frequency_hours FROM portal."Configs"') == [[24]]


def test_a_config_that_has_its_frequency_gets_no_sql(helper, add_config, logs) -> None:
    add_config("sales", run_frequency_hours=None)  # which is a day
    done = helper("usage", "--logs", logs)
    assert "UPDATE" not in done.stdout
    assert "Nothing to change" in done.stdout


def test_without_a_database_the_requests_are_told_all_the_same(helper, cloud, logs) -> None:
    done = helper("usage", "--logs", logs, env=cloud)
    assert done.returncode == 0, done.stderr
    assert "requests    30" in done.stdout
    assert "POSTGRES_HOST" in done.stdout


def test_the_usage_as_json_has_a_pattern_for_each_config(helper, add_config, logs) -> None:
    config_id = add_config("sales")
    usage = json.loads(helper("usage", "--logs", logs, "--json").stdout)
    assert usage["patterns"][str(config_id)] == {
        "runs": 30,
        "last": "2026-03-30T06:00:30Z",
        "hours": 24,
        "steady": True,
    }


def test_a_file_that_is_not_there_is_one_clear_line(helper) -> None:
    done = helper("usage", "--logs", "/nowhere.json")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "/nowhere.json" in done.stderr
