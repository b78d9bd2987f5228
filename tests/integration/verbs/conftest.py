"""The verbs' collaborators, real: PostgreSQL, the BigQuery server, and Cloud Run with jobs that a test can foresee."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec
import pytest
from google.cloud import bigquery

from local.component import wait_until_ready
from local.ports import HOST
from shared import load_job
from shared.executions import Executions, LaunchUnknown
from shared.ledger.store import Store
from shared.run import Run
from shared.settings import Database, Settings
from shared.wiring import Wiring
from tests.integration.databases import settings_of
from tests.integration.servers import server

PARENT = "projects/local-project/locations/us-central1/jobs"
# What the deployed jobs do, instead of reading a sheet: none of them loads anything.
JOBS = {"ends-at-once": "pass", "crashes": "raise SystemExit(7)", "sleeps": "import time; time.sleep(300)"}


@pytest.fixture(scope="session")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The BigQuery and Cloud Run servers, as the product's endpoint settings."""
    folder = tmp_path_factory.mktemp("servers")
    files = []
    for name, script in JOBS.items():
        path = folder / f"{name}.json"
        job = {
            "name": f"{PARENT}/{name}",
            "command": [sys.executable, "-c", script],
            "cwd": str(folder),
            "maxRetries": 0,
        }
        path.write_text(json.dumps(job))
        files += ["--job-file", str(path)]
    bigquery = server("bigquery", folder, ["--data", str(folder / "bigquery")])
    run = server("run", folder, ["--data", str(folder / "run"), "--cpu-slots", "100", *files])
    components = [bigquery, run]
    for each in components:
        each.start()
    try:
        wait_until_ready(components, seconds=30)
        yield {
            "BIGQUERY_EMULATOR_HOST": bigquery.address,
            "RUN_API_ENDPOINT": run.address,
            "SHEETS_API_ENDPOINT": f"http://{HOST}:9",  # nobody: the verbs read no sheet
        }
    finally:
        for each in components:
            each.stop()


class ReplyLost(Executions):
    """Cloud Run that does as it is asked, and whose answer nobody hears."""

    started = ""

    def start(self, environment: Mapping[str, str], timeout_seconds: int) -> str:
        self.started = super().start(environment, timeout_seconds)
        raise LaunchUnknown("Cloud Run's answer was lost", "the sweep will look")


class Bench:
    """A wiring on the test's own database, and shorthands for what the tests do again and again."""

    def __init__(self, wiring: Wiring, store: Store) -> None:
        self.wiring = wiring
        self.store = store
        self.published: list[str] = []

    @property
    def settings(self) -> Settings:
        return self.wiring.settings

    @property
    def bigquery_of(self):
        return self.wiring.bigquery

    def publish(self, run_ids) -> None:
        self.published += run_ids

    def executions(self, job: str = "sleeps") -> Executions:
        return Executions(self.wiring.clients.jobs, self.wiring.clients.executions, f"{PARENT}/{job}")

    def reply_lost(self, job: str = "sleeps") -> ReplyLost:
        return ReplyLost(self.wiring.clients.jobs, self.wiring.clients.executions, f"{PARENT}/{job}")

    def with_settings(self, **changes) -> Settings:
        return msgspec.structs.replace(self.settings, **changes)

    def load(self, run: Run, attempt: int | None = None, *, rows: int = 2, table: str | None = None) -> None:
        """Loads rows as the job would, under the attempt's id."""
        client = self.bigquery_of(run.job_project)
        attempt = attempt or run.attempt
        client.create_dataset("local-project.reports", exists_ok=True)
        job = client.load_table_from_json(
            [{"n": number} for number in range(rows)],
            f"local-project.reports.{table or 't_' + run.id.replace('-', '')}",
            job_id=load_job.job_id(run.id, attempt),
            location=run.job_location,
            job_config=bigquery.LoadJobConfig(
                schema=[bigquery.SchemaField("n", "INT64")],
                write_disposition="WRITE_TRUNCATE",
                labels=load_job.labels(run.id, attempt, (run.execution or "e").rsplit("/", 1)[-1], "loaded"),
            ),
        )
        job.result()

    def run(self, run_id: str) -> Run:
        standing = self.store.find_run(run_id)
        assert standing is not None
        return standing.run


def wait_for_end(bench: Bench, run: Run, job: str) -> None:
    """Waits until Cloud Run shows the end of the run's execution."""
    for _ in range(200):
        look = bench.executions(job).look(run.execution or "")
        if look and look.ended:
            return
        time.sleep(0.05)
    raise AssertionError("the execution did not end")


@pytest.fixture
def bench(endpoints: dict[str, str], migrated: Database, store: Store, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # anonymous, without asking a metadata server first
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", endpoints["BIGQUERY_EMULATOR_HOST"])  # the library reads it itself
    environ = {
        **endpoints,
        "GOOGLE_CLOUD_PROJECT": "local-project",
        **settings_of(migrated),
        "LEASE_SECONDS": "60",
        "SWEEP_SECONDS": "0",  # no test waits for a retry unless it says so
    }
    return Bench(Wiring(environ), store)


@pytest.fixture
def queue(store: Store, add_config: Callable[..., int], add_run: Callable[..., str]) -> Callable[..., str]:
    """A queued run of a fresh config: its id."""

    def make(name: str = "sales", **config) -> str:
        return add_run(add_config(name, **config), datetime.now(UTC), state="queued", destination=f"d.{name}")

    return make
