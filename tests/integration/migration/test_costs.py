"""Time, resources and cost of both systems, from the ledger and BigQuery's jobs."""

import json
import sys
from datetime import timedelta

import pytest

from local.component import wait_until_ready
from migration.costs import Billed, billed, compare_costs
from migration.metrics import Used
from migration.prices import Prices
from migration.sizes import Size, size_of
from shared.clients import Clients
from shared.errors import InvalidSettings
from shared.usage import ServiceUse
from tests.integration.servers import server

PRICES = Prices(
    job_cpu_second=1,
    job_gib_second=10,
    service_cpu_second=100,
    service_gib_second=1000,
    million_requests=1_000_000,
    queried_tib=5,
)


@pytest.fixture
def span(store):
    now = store.now()
    return now - timedelta(days=7), now + timedelta(seconds=5)


def costs(store, span, **options):
    return compare_costs(store, span, PRICES, job_size=Size(1, 0.5), service_size=Size(2, 1), **options)


def forward(sql, begun, seconds=None, status=None):
    sql(
        "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, begun_at, open_until, ended_at, status)"
        " VALUES (gen_random_uuid()::text, 1, :begun, :until, :ended, :status)",
        begun=begun,
        until=begun + timedelta(seconds=300),
        ended=begun + timedelta(seconds=seconds) if seconds else None,
        status=status,
    )


def ran(add_run, now, lasted, number, **values):
    add_run(number, now - timedelta(hours=number), claimed_at=now - timedelta(seconds=lasted), ended_at=now, **values)


def test_an_empty_ledger_costs_nothing(store, span):
    found = costs(store, span)
    assert (found.job_use, found.service_use, found.job.cost, found.service.cost) == (
        (),
        ServiceUse(0, 0, 0, 0, 0.0, 0.0, 0.0),
        0,
        0,
    )


def test_runs_are_told_with_their_times_and_those_of_shadows_apart(store, sql, add_run, span):
    now = store.now()
    stages = json.dumps({"read": 4.5, "load": 2})
    ran(add_run, now, 30, 1, seconds=stages, bytes=1000, verdict="loaded")
    ran(add_run, now, 90, 2, seconds=stages, bytes=500, verdict="loaded")
    ran(add_run, now, 10, 3, state="failed", error_class="X", error="y")
    ran(add_run, now, 40, 4, why="shadow")
    add_run(5, now - timedelta(days=30), claimed_at=now - timedelta(days=30), ended_at=now - timedelta(days=8))
    found = costs(store, span)
    own, shadow = found.job_use
    assert (own.shadow, own.runs, own.succeeded, own.failed, own.seconds) == (False, 3, 2, 1, 130)
    assert (own.billed_seconds, own.middle_seconds, own.read_seconds, own.load_seconds) == (210, 30, 9, 4)
    assert own.bytes_loaded == 1500
    assert (shadow.shadow, shadow.runs, shadow.billed_seconds) == (True, 1, 60)
    assert (found.job.instance_seconds, found.job.cost, found.job.measured) == (270, 270 + 135 * 10, False)


def test_the_services_requests_are_told_with_their_answers(store, sql, span):
    now = store.now() - timedelta(minutes=10)
    forward(sql, now, 10, 200)
    forward(sql, now, 20, 500)
    forward(sql, now)
    forward(sql, now - timedelta(days=30), 60, 200)
    found = costs(store, span)
    use = found.service_use
    assert (use.messages, use.succeeded, use.failed, use.unanswered, use.seconds) == (3, 1, 1, 1, 30)
    assert found.service.cost == 60 * 100 + 30 * 1000 + 3


def test_what_was_measured_goes_before_what_is_reckoned(store, span):
    found = costs(
        store, span, job_used=Used(1, 2, 3), service_used=Used(4, 5, 6), job_billed=Billed(1, 2**40), notes=("why",)
    )
    assert (found.job.compute_cost, found.job.query_cost, found.job.measured) == (32, 5, True)
    assert (found.service.cost, found.notes) == (6500, ("why",))


def test_only_the_products_own_jobs_are_billed_to_it(desk, span):
    since = desk.store.now()
    desk.shadow_loads(("id",), [("1",)])
    desk.client.query_and_wait(f"SELECT * FROM `{desk.shadow.destination}`")
    own = desk.client.query(
        f"SELECT * FROM `{desk.shadow.destination}`",
        job_id=f"sheet_to_bigquery_{desk.config.name}",
        location="US",
        job_retry=None,
    )
    own.result()
    found = billed(desk.client, "US", (since, desk.store.now() + timedelta(seconds=5)))
    assert (found.jobs, found.bytes_billed) == (2, own.total_bytes_billed)
    assert found.bytes_billed > 0


def test_the_deployed_jobs_size_is_cloud_runs_own_word(tmp_path):
    name = "projects/test-project/locations/us-central1/jobs/sheettobigquery-job"
    job = {"name": name, "command": [sys.executable, "-c", "pass"], "cwd": str(tmp_path), "memoryMiB": 2048}
    (tmp_path / "job.json").write_text(json.dumps(job))
    options = ["--data", str(tmp_path / "run"), "--job-file", str(tmp_path / "job.json")]
    component = server("run", tmp_path, options)
    component.start()
    try:
        wait_until_ready([component], seconds=30)
        elsewhere = {
            "RUN_API_ENDPOINT": component.address,
            "SHEETS_API_ENDPOINT": component.address,
            "BIGQUERY_EMULATOR_HOST": component.address,
        }
        jobs = Clients(elsewhere).jobs
        assert size_of(jobs, name) == Size(1, 2)
        with pytest.raises(InvalidSettings, match="the job another is not there: deploy it"):
            size_of(jobs, name.replace("sheettobigquery-job", "another"))
    finally:
        component.stop()
