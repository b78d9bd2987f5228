"""Launch: one claim, one execution, with the run's settings; what must not run does not."""

import pytest

from shared.errors import InvalidInput, LoadRefused, ServiceUnavailable
from shared.launch import launch


def launched(bench, run_id: str, job: str = "sleeps") -> str:
    return launch(run_id, bench.store, bench.wiring.location_of, bench.executions(job), bench.settings)


def environment_of(bench, run_id: str) -> dict[str, str]:
    execution = bench.wiring.clients.executions.get_execution(name=bench.run(run_id).execution)
    return {each.name: each.value for each in execution.template.containers[0].env}


def test_the_execution_is_told_all_it_needs(bench, queue) -> None:
    schema = '[{"name": "id", "type": "INTEGER"}]'
    run_id = queue("sales", google_sheet_tab_name="Q4", schema_handling="custom", custom_schema=schema)
    assert launched(bench, run_id) == "launched"
    run, told = bench.run(run_id), environment_of(bench, run_id)
    assert run.state == "running"
    assert told["RUN_ID"] == run_id
    assert told["RUN_ATTEMPT"] == "1"
    assert told["GOOGLE_SHEET_TAB_NAME"] == "Q4"
    assert told["SCHEMA_HANDLING"] == "custom"
    assert '"INT64"' in told["CUSTOM_SCHEMA"]
    assert told["BIGQUERY_LOCATION"] == "US"
    assert told["COMPLETION_TOPIC"] == "projects/local-project/topics/sheet-to-bigquery-completions"
    assert not any("PASSWORD" in name for name in told)


def test_a_request_delivered_twice_starts_one_execution(bench, queue) -> None:
    run_id = queue()
    assert launched(bench, run_id) == "launched"
    first = bench.run(run_id).execution
    assert launched(bench, run_id) == "claimed_before"
    assert bench.run(run_id).execution == first
    assert bench.executions().find(run_id, 2) is None


def test_a_job_that_is_not_deployed_is_tried_again_later_and_says_what_to_do(bench, queue) -> None:
    run_id = queue()
    assert launched(bench, run_id, "nowhere") == "refused"
    run = bench.run(run_id)
    assert (run.state, run.failures, run.error_class) == ("pending", 1, "LaunchRefused")
    assert "deploy the job" in run.error


def test_cloud_run_that_does_not_answer_leaves_the_run_for_settling(bench, queue, monkeypatch) -> None:
    from google.cloud import run_v2

    deaf = run_v2.JobsClient(
        transport="rest",
        credentials=bench.wiring.clients.credentials,
        client_options={"api_endpoint": "http://127.0.0.1:9"},  # where nobody listens
    )
    executions = bench.executions()
    monkeypatch.setattr(executions, "_jobs", deaf)
    run_id = queue()
    assert launch(run_id, bench.store, bench.wiring.location_of, executions, bench.settings) == "unknown"
    assert bench.run(run_id).state == "launching"


def test_a_config_paused_meanwhile_is_cancelled_with_the_reason(bench, queue, sql) -> None:
    run_id = queue()
    sql("UPDATE sheet_to_bigquery_configs SET is_active = false")
    assert launched(bench, run_id) == "not_runnable"
    run = bench.run(run_id)
    assert (run.state, run.error_class) == ("cancelled", "NotOurs")
    assert "paused" in run.error


def test_a_config_that_is_gone_is_cancelled(bench, queue, sql) -> None:
    run_id = queue()
    sql("DELETE FROM sheet_to_bigquery_configs")
    launched(bench, run_id)
    assert bench.run(run_id).state == "cancelled"


def test_a_wrong_config_fails_its_own_run_and_names_every_field(bench, queue) -> None:
    run_id = queue(google_sheet_url="https://example.com/x", schema_handling="guess")
    assert launched(bench, run_id) == "not_runnable"
    run = bench.run(run_id)
    assert (run.state, run.error_class, run.attempt) == ("failed", "InvalidConfig", 0)
    assert "google_sheet_url" in run.error or "schema_handling" in run.error


def test_two_configs_of_one_table_both_fail_and_name_each_other(bench, queue, add_config) -> None:
    run_id = queue("first", bigquery_table_id="same")
    add_config("second", bigquery_table_id="same")
    launched(bench, run_id)
    run = bench.run(run_id)
    assert (run.state, run.error_class) == ("failed", "TableConflict")
    assert '"second"' in run.error


def test_a_run_id_of_nobodys_is_invalid_input(bench) -> None:
    with pytest.raises(InvalidInput, match="no run"):
        launched(bench, "00000000-0000-0000-0000-000000000000")


def test_a_config_paused_at_the_moment_of_the_claim_is_cancelled_at_once(bench, queue, sql) -> None:
    run_id = queue()

    def location_of(_config) -> str:
        sql("UPDATE sheet_to_bigquery_configs SET is_active = false")
        return "US"

    assert launch(run_id, bench.store, location_of, bench.executions(), bench.settings) == "not_runnable"
    assert bench.run(run_id).state == "cancelled"


def test_a_dataset_that_bigquery_will_never_show_fails_the_run(bench, queue) -> None:
    run_id = queue()

    def location_of(_config) -> str:
        raise LoadRefused("BigQuery says that it is no dataset", "correct bigquery_dataset_id")

    assert launch(run_id, bench.store, location_of, bench.executions(), bench.settings) == "not_runnable"
    assert (bench.run(run_id).state, bench.run(run_id).error_class) == ("failed", "LoadRefused")


def test_a_bigquery_that_does_not_answer_leaves_the_run_queued_for_the_next_delivery(bench, queue) -> None:
    run_id = queue()

    def location_of(_config) -> str:
        raise ServiceUnavailable("BigQuery did not answer")

    with pytest.raises(ServiceUnavailable):
        launch(run_id, bench.store, location_of, bench.executions(), bench.settings)
    assert bench.run(run_id).state == "queued"
