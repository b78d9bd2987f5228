"""A table's owner changes while runs wait, begin, or are in flight: by anybody's SQL, and one owner all the time."""

from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import Conflict

from shared.dispatch import DispatchRequest, dispatch
from shared.launch import launch
from shared.ledger.connection import connect
from shared.messages import ManualRequest
from shared.settings import Database
from shared.sweep import sweep
from sql.tracking import start
from tests.integration.verbs.test_launch import environment_of, launched

CUSTOM = '[{"name": "id", "type": "INTEGER"}]'
TO_SERVICE = "UPDATE sheet_to_bigquery_configs SET migration_status = 'service' WHERE migration_status = 'job_ready'"


@pytest.fixture(autouse=True)
def tracked(migrated: Database) -> None:
    """Configs say whose they are."""
    with connect(migrated) as connection:
        list(start(connection, migrated.configs_table))


def swept(bench, job: str = "sleeps") -> dict[str, int]:
    return sweep(bench.store, bench.bigquery_of, bench.executions(job), bench.publish, bench.settings)


def dispatched(bench, **request):
    return dispatch(DispatchRequest(**request), bench.store, bench.publish, bench.settings)


def test_a_shadow_run_is_told_to_load_as_the_service_does_into_the_dataset_beside(bench, add_config) -> None:
    add_config("sales", migration_status="shadow", schema_handling="custom", custom_schema=CUSTOM)
    add_config("stock", migration_status="service")
    assert dispatched(bench, dry_run=True).answer()["shadows"] == 1
    told = dispatched(bench)
    assert (told.recorded, told.shadows, told.admitted, told.counts) == (0, 1, 1, {"not_ours": 2})
    [run_id] = bench.published
    assert launched(bench, run_id) == "launched"
    environment = environment_of(bench, run_id)
    assert environment["BIGQUERY_DATASET_ID"] == "reports_shadow"
    assert environment["BIGQUERY_TABLE_ID"] == "sales"
    assert environment["SCHEMA_HANDLING"] == "string"
    # A job that is older than the option parity would refuse it.
    assert not {"CUSTOM_SCHEMA", "OPTIONS"} & set(environment)
    assert bench.run(run_id).destination == "test-project.reports_shadow.sales"


def test_a_setting_names_the_dataset_and_the_claim_believes_that_alone(bench, add_config) -> None:
    config_id = add_config("sales", migration_status="shadow")
    run_id = bench.store.record_shadow(config_id, bench.store.now())
    sweep(bench.store, bench.bigquery_of, bench.executions(), bench.publish, bench.settings)
    settings = bench.with_settings(shadow_suffix="_beside")
    launch(run_id, bench.store, bench.wiring.location_of, bench.executions(), settings)
    assert environment_of(bench, run_id)["BIGQUERY_DATASET_ID"] == "reports_beside"
    assert bench.run(run_id).destination == "test-project.reports_beside.sales"


def test_a_shadow_never_loads_into_a_table_that_is_a_configs_own_by_now(bench, add_config, sql) -> None:
    add_config("sales", migration_status="shadow")
    dispatched(bench)
    [run_id] = bench.published
    add_config("own", bigquery_dataset_id="reports_shadow", bigquery_table_id="sales", is_active=False)
    assert launched(bench, run_id) == "not_runnable"
    run = bench.run(run_id)
    assert (run.state, run.attempt, run.error_class) == ("failed", 0, "TableConflict")
    assert '"own"' in (run.error or "")


def test_an_attempt_in_flight_is_closed_by_the_sweep_after_the_table_has_gone_back(bench, queue, sql) -> None:
    run_id = queue("sales", migration_status="job_ready")
    assert launched(bench, run_id) == "launched"
    sql(TO_SERVICE)
    assert swept(bench)["cancelled"] == 1
    run = bench.run(run_id)
    assert (run.state, run.error_class) == ("cancelled", "Cancelled")
    # The execution wakes, and loads: its id is burned.
    with pytest.raises(Conflict):
        bench.load(run)
    assert sql("SELECT last_run FROM sheet_to_bigquery_configs") == [[None]]
    assert sql("SELECT count(*) FROM sheet_to_bigquery_notices") == [[0]]


@pytest.mark.parametrize("began", [False, True])
def test_a_message_whose_run_ends_because_the_table_went_back_is_kept_to_be_published_again(
    began: bool, bench, add_config, sql
) -> None:
    """By the guide's own SQL nobody publishes it: it was acked, and nobody loads what it asked for."""
    config_id = add_config("sales", migration_status="job_ready")
    request = ManualRequest(id=config_id)
    bench.store.record_request("portal/m1", request, b"{}", bench.store.now(), if_ours=True)
    bench.store.record_request("by hand", request, b"{}", bench.store.now())
    assert swept(bench)["admitted"] == 1
    [run_id] = bench.published
    if began:
        assert launched(bench, run_id) == "launched"
    sql(TO_SERVICE)
    assert swept(bench).get("cancelled") == 1 if began else launched(bench, run_id) == "not_runnable"
    assert bench.run(run_id).state == "cancelled"
    kept = bench.store.find_kept("portal/m1")
    assert (kept.verdict, "publish it again" in kept.reason, kept.topic) == ("poison", True, "portal")
    assert bench.store.find_kept("by hand").verdict == "accepted"


def test_a_message_whose_run_a_person_cancelled_is_no_poison(bench, add_config) -> None:
    config_id = add_config("sales", migration_status="job_ready")
    request = ManualRequest(id=config_id)
    bench.store.record_request("portal/m1", request, b"{}", bench.store.now(), if_ours=True)
    assert swept(bench)["admitted"] == 1
    [run_id] = bench.published
    assert launched(bench, run_id) == "launched"
    bench.store.cancel(run_id, bench.store.now())
    assert swept(bench)["cancelled"] == 1
    assert bench.store.find_kept("portal/m1").verdict == "accepted"


def test_a_load_that_was_faster_than_the_change_is_the_last_one(bench, queue, sql) -> None:
    run_id = queue("sales", migration_status="job_ready")
    assert launched(bench, run_id) == "launched"
    bench.load(bench.run(run_id))
    sql(TO_SERVICE)
    assert swept(bench)["succeeded"] == 1
    assert bench.run(run_id).state == "succeeded"


def test_a_run_that_waits_when_the_table_goes_back_ends_without_an_attempt(bench, queue, sql) -> None:
    run_id = queue("sales", migration_status="job_ready")
    sql(TO_SERVICE)
    assert launched(bench, run_id) == "not_runnable"
    run = bench.run(run_id)
    assert (run.state, run.attempt, run.error_class) == ("cancelled", 0, "NotOurs")


def test_the_jobs_first_run_after_a_shadows_waits_for_that_ones_end(bench, add_config, sql) -> None:
    add_config("sales", migration_status="shadow")
    dispatched(bench)
    [shadow] = bench.published
    assert launched(bench, shadow) == "launched"
    sql("UPDATE sheet_to_bigquery_configs SET migration_status = 'job_ready'")
    assert dispatched(bench).counts == {"open_run": 1}
    assert swept(bench)["cancelled"] == 1
    assert dispatched(bench).recorded == 1
    own = bench.published[-1]
    assert launched(bench, own) == "launched"
    environment = environment_of(bench, own)
    # The table keeps the shape that the service gave it.
    assert (environment["BIGQUERY_DATASET_ID"], environment["SCHEMA_HANDLING"]) == ("reports", "string")


def test_a_run_begins_when_the_older_service_has_answered(bench, queue, sql) -> None:
    run_id = queue("sales", migration_status="job_ready")
    now = datetime.now(UTC)
    sql(
        "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, begun_at, open_until)"
        " SELECT 'm1', id, :now, :until FROM sheet_to_bigquery_configs",
        now=now,
        until=now + timedelta(minutes=5),
    )
    assert launched(bench, run_id) == "claimed_before"
    assert bench.run(run_id).state == "pending"
    sql("UPDATE sheet_to_bigquery_forwards SET ended_at = now(), status = 200")
    sql("UPDATE sheet_to_bigquery_runs SET not_before = now()")
    assert swept(bench)["admitted"] == 1
    assert launched(bench, run_id) == "launched"
