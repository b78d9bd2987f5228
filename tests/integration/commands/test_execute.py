"""`job_helper.py execute`, `list` and `status`, against a Cloud Run server with jobs that a test can foresee."""

import json

import pytest


def test_the_printed_example_is_a_valid_config_file(helper, cloud, tmp_path) -> None:
    path = tmp_path / "test_config.json"
    path.write_text(helper("example", env={}).stdout)
    done = helper("execute", "--config-file", str(path), "--no-wait", env=cloud)
    assert done.returncode == 0, done.stderr


def test_execute_waits_for_the_execution_and_tells_how_it_ended(helper, cloud, config_file) -> None:
    done = helper("execute", "--config-file", config_file(), env=cloud)
    assert done.returncode == 0, done.stderr
    assert "ends-at-once-" in done.stdout
    assert "succeeded" in done.stdout
    assert "log: " in done.stdout
    assert "by_hand: succeeded" in done.stderr


def test_execute_exits_1_where_the_execution_fails(helper, cloud, config_file) -> None:
    done = helper("execute", "--config-file", config_file(), env=cloud | {"JOB_NAME": "crashes"})
    assert done.returncode == 1
    assert "failed" in done.stdout
    assert "Traceback" not in done.stderr


def test_execute_tells_the_line_with_which_the_job_closed_a_log_that_is_a_file(helper, cloud, config_file) -> None:
    done = helper("execute", "--config-file", config_file(), env=cloud | {"JOB_NAME": "fails"})
    assert done.returncode == 1
    assert "why: Job execution failed: TabNotFound: there is no tab" in done.stdout.splitlines()
    assert "gcloud" not in done.stdout


def test_execute_tells_the_log_alone_of_a_job_that_closed_none(helper, cloud, config_file) -> None:
    done = helper("execute", "--config-file", config_file(), env=cloud | {"JOB_NAME": "crashes"})
    assert "why: " not in done.stdout
    assert "log: file:///" in done.stdout
    assert "gcloud" not in done.stdout


def test_execute_stops_waiting_after_the_time_out_and_the_execution_goes_on(helper, cloud, config_file) -> None:
    env = cloud | {"JOB_NAME": "sleeps"}
    done = helper("--json", "execute", "--config-file", config_file(), "--timeout", "2", env=env)
    assert done.returncode == 124
    assert "goes on after 2 s" in done.stderr
    started = json.loads(done.stdout)["execution"]
    listed = json.loads(helper("list", "--json", env=env).stdout)
    assert {each["name"]: each["state"] for each in listed}[started] in ("starting", "running")


def test_execute_hands_the_job_the_guides_variables_and_no_run_id(helper, cloud, config_file) -> None:
    schema = [{"name": "id", "type": "INTEGER", "mode": "REQUIRED"}]
    path = config_file(name="variables", schema_handling="custom", custom_schema=schema)
    assert helper("execute", "--config-file", path, env=cloud).returncode == 0
    newest = json.loads(helper("list", "--limit", "1", "--json", env=cloud).stdout)
    assert [(each["config"], each["run_id"], each["state"]) for each in newest] == [("variables", None, "succeeded")]


def test_execute_without_waiting_prints_the_execution(helper, cloud, config_file) -> None:
    done = helper("execute", "--config-file", config_file(), "--no-wait", "--json", env=cloud)
    assert done.returncode == 0
    assert "/executions/ends-at-once-" in json.loads(done.stdout)["execution"]


def test_execute_warns_where_a_config_owns_the_table(helper, add_config, config_file) -> None:
    add_config("owner", google_cloud_project_id="local-project", bigquery_table_id="by_hand")
    done = helper("execute", "--config-file", config_file(), "--no-wait")
    assert done.returncode == 0
    assert '"owner"' in done.stderr
    assert "warning" in done.stderr


def test_execute_does_without_a_database_that_does_not_answer(helper, environment, config_file) -> None:
    env = environment | {"POSTGRES_PORT": "9"}
    done = helper("execute", "--config-file", config_file(), "--no-wait", env=env)
    assert done.returncode == 0
    assert "warning" not in done.stderr


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"google_sheet_url": None}, "google_sheet_url is missing"),
        ({"schema_handling": "guess"}, "schema_handling"),
        ({"bigquery_table_id": "a.b"}, "bigquery_table_id"),
        ({"schema_handling": "custom"}, "custom_schema"),
    ],
)
def test_a_wrong_config_file_is_named_with_its_field_and_nothing_starts(
    changes, named, helper, cloud, config_file
) -> None:
    path = config_file(name="wrong", **changes)
    done = helper("execute", "--config-file", path, env=cloud)
    assert done.returncode == 2
    assert path in done.stderr
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1
    listed = json.loads(helper("list", "--json", env=cloud).stdout)
    assert all(each["config"] != "wrong" for each in listed)


@pytest.mark.parametrize("content", ["", "[1]", "{", "\xff"])
def test_a_file_that_is_no_json_object_is_one_clear_line(content, helper, cloud, tmp_path) -> None:
    path = tmp_path / "test_config.json"
    path.write_bytes(content.encode("latin-1"))
    done = helper("execute", "--config-file", str(path), env=cloud)
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_job_that_is_not_deployed_gets_the_remedy(helper, cloud, config_file) -> None:
    done = helper("execute", "--config-file", config_file(), env=cloud | {"JOB_NAME": "nobody"})
    assert done.returncode == 1
    assert "LaunchRefused" in done.stderr
    assert "deploy" in done.stderr
    assert "deploy" in helper("list", env=cloud | {"JOB_NAME": "nobody"}).stderr


def test_a_cloud_run_that_does_not_answer_is_one_clear_line(helper, cloud) -> None:
    done = helper("list", env=cloud | {"RUN_API_ENDPOINT": "http://127.0.0.1:9"})
    assert done.returncode == 1
    assert "ServiceUnavailable" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_status_does_without_the_ledger_where_no_database_is_configured(helper, cloud) -> None:
    done = helper("status", env=cloud)
    assert done.returncode == 0, done.stderr
    assert "jobs/ends-at-once" in done.stdout
    assert "POSTGRES_HOST" in done.stdout


def test_status_tells_the_ledgers_counts_and_what_is_due(helper, sql, add_config, add_run) -> None:
    ((now,),) = sql("SELECT now()")
    add_run(add_config("inventory", last_run=now), now, state="failed")
    add_config("overdue")
    status = json.loads(helper("status", "--json").stdout)
    assert status["ledger"]["runs"] == {"failed": 1}
    assert status["ledger"]["oldest_due"]["name"] == "overdue"
    assert status["ledger"]["next_due"] is not None
    told = helper("status").stdout
    assert "1 failed" in told
    assert "overdue" in told


def test_status_tells_how_many_messages_were_not_understood_and_why_the_newest_was_not(helper, sql) -> None:
    assert "all were understood" in helper("status").stdout
    message = "INSERT INTO sheet_to_bigquery_messages VALUES (:id, CAST(:at AS timestamptz), :verdict, :why, NULL, 'x')"
    sql(message, id="m1", at="2026-03-29T12:00Z", verdict="poison", why="it is not JSON")
    sql(message, id="m2", at="2026-03-29T13:00Z", verdict="poison", why="it names no config")
    sql(message, id="m3", at="2026-03-29T14:00Z", verdict="accepted", why=None)
    told = helper("status").stdout
    assert "messages    2 were not understood (newest 2026-03-29 13:00:00 UTC: it names no config)" in told
    status = json.loads(helper("status", "--json").stdout)
    found = status["ledger"]["not_understood"]
    assert (found["count"], found["newest_reason"]) == (2, "it names no config")


def test_settings_that_are_missing_are_named_together(helper) -> None:
    done = helper("configs", env={})
    assert done.returncode == 2
    assert "POSTGRES_DB is missing; POSTGRES_USER is missing" in done.stderr
