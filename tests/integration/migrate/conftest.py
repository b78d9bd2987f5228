"""`migrate.py` as people start it: a process of its own on a real PostgreSQL, BigQuery, Cloud Run and Pub/Sub."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from google.cloud import bigquery

from local.component import wait_until_ready
from local.ports import HOST, reserve_port
from local.pubsub import PORTAL, REQUESTS, PubSub
from shared import load_job
from shared.executions import Executions
from shared.launch import launch
from shared.ledger.connection import connect
from shared.ledger.store import Store
from shared.run import Run
from shared.settings import Database
from shared.settle import settle
from shared.wiring import Wiring
from sql import tracking
from tests.integration.databases import settings_of
from tests.integration.servers import server

REPOSITORY = Path(__file__).parents[3]
PROJECT = "local-project"
JOB = f"projects/{PROJECT}/locations/us-central1/jobs/sleeps"
SPREADSHEET = "Sales-by-Quarter"
SHEET = f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit"
# Two columns have one name: the older service fails at it.
TWICE = "Twice-the-same-name"
# Nobody listens there.
NOBODY = f"http://{HOST}:9"

Done = subprocess.CompletedProcess[str]
Migrate = Callable[..., Done]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """BigQuery, Cloud Run with a job that goes on for minutes, and Pub/Sub, as the product's endpoint settings."""
    folder = tmp_path_factory.mktemp("cloud")
    job = {"name": JOB, "command": [sys.executable, "-c", "import time; time.sleep(300)"], "cwd": str(folder)}
    (folder / "job.json").write_text(json.dumps(job | {"maxRetries": 0}))
    warehouse = server("bigquery", folder, ["--data", str(folder / "bigquery"), "--faults"])
    options = ["--data", str(folder / "run"), "--cpu-slots", "100", "--job-file", str(folder / "job.json")]
    run = server("run", folder, options)
    spreadsheets = folder / "spreadsheets"
    spreadsheets.mkdir()
    for name, header in ((SPREADSHEET, ["id", "Amount in €"]), (TWICE, ["amount", "amount"])):
        with xlsxwriter.Workbook(spreadsheets / f"{name}.xlsx") as workbook:
            sheet = workbook.add_worksheet()
            for number, row in enumerate([header, ["a-1", 2.5], ["a-2", 1234.75]]):
                sheet.write_row(number, 0, row)
    sheets = server("sheets", folder, ["--folder", str(spreadsheets)])
    emulator = PubSub(PROJECT, reserve_port())
    components = [warehouse, run, sheets, emulator.component(dict(os.environ), folder, folder / "pubsub.log")]
    for each in components:
        each.start()
    try:
        wait_until_ready(components, seconds=60)
        emulator.create_topics({REQUESTS: f"{NOBODY}/launch", PORTAL: f"{NOBODY}/forward"})
        yield {
            "BIGQUERY_EMULATOR_HOST": warehouse.address,
            "RUN_API_ENDPOINT": run.address,
            "PUBSUB_EMULATOR_HOST": emulator.host,
            "SHEETS_API_ENDPOINT": sheets.address,
            "DRIVE_API_ENDPOINT": sheets.address,
        }
    finally:
        for each in components:
            each.stop()


@pytest.fixture
def environment(cloud: dict[str, str], migrated: Database) -> dict[str, str]:
    """All the settings."""
    return {
        **cloud,
        "PATH": os.environ["PATH"],
        "NO_GCE_CHECK": "true",  # anonymous, without asking a metadata server first
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "JOB_NAME": "sleeps",
        "MIGRATION_ACTOR": "ana@desk",
        **settings_of(migrated),
    }


@pytest.fixture
def migrate(environment: dict[str, str], tmp_path: Path) -> Migrate:
    """Runs `migrate.py` in a folder that is not the repository; keywords change the environment, `die_at` kills it at
    a named point."""

    def run(*arguments: str, die_at: str | None = None, **changes: str) -> Done:
        env = environment | changes
        if die_at:
            points = tmp_path / "failpoints"
            points.mkdir(exist_ok=True)
            (points / die_at).write_text("exit")
            env["FAILPOINTS"] = str(points)
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "migrate.py"), *arguments],
            env=env,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert (done.returncode == -9) == bool(die_at), done.stderr
        return done

    return run


class Team:
    """What a team has around `migrate.py`: configs, the service's tables, runs of the job's, messages."""

    def __init__(self, store: Store, sql: Callable[..., list[Any]], add: Callable[..., int], wiring: Wiring) -> None:
        self.store = store
        self.sql = sql
        self.wiring = wiring
        self._add = add

    @property
    def warehouse(self) -> bigquery.Client:
        return self.wiring.bigquery(PROJECT)

    @property
    def executions(self) -> Executions:
        return self.wiring.executions

    def config(self, name: str, owner: str | None = "service", **values: Any) -> int:
        config_id = self._add(name, **{"google_cloud_project_id": PROJECT} | values)
        if owner != "service":
            self.mark(config_id, owner)
        return config_id

    def mark(self, config_id: int, owner: str | None) -> None:
        """As the guide's own SQL does."""
        self.sql("UPDATE sheet_to_bigquery_configs SET migration_status = :o WHERE id = :id", o=owner, id=config_id)

    def owners(self) -> dict[str, str | None]:
        return dict(self.sql("SELECT name, migration_status FROM sheet_to_bigquery_configs"))

    def changes(self) -> list[Any]:
        """The audit: name, from, to, who, why."""
        columns = "config_name, before, after, changed_by, reason"
        return [tuple(row) for row in self.sql(f"SELECT {columns} FROM sheet_to_bigquery_owner_changes ORDER BY id")]

    def runs(self) -> list[tuple[str, str]]:
        return [(why, state) for why, state in self.sql("SELECT why, state FROM sheet_to_bigquery_runs ORDER BY slot")]

    def load_as_service(self, table: str, rows: Sequence[dict[str, str]] = ({"n": "1"},), location: str = "US") -> None:
        """A table (`dataset.table`) as the older service makes it."""
        dataset = bigquery.Dataset(f"{PROJECT}.{table.partition('.')[0]}")
        dataset.location = location
        self.warehouse.create_dataset(dataset, exists_ok=True)
        config = bigquery.LoadJobConfig(write_disposition="WRITE_TRUNCATE", autodetect=False)
        config.schema = [bigquery.SchemaField(name, "STRING") for name in rows[0]]
        self.warehouse.load_table_from_json(
            list(rows), f"{PROJECT}.{table}", location=location, job_config=config
        ).result()

    def in_flight(self, config_id: int, add_run: Callable[..., str], why: str = "manual") -> Run:
        """A run whose execution goes on for minutes."""
        table = self.store.list_owned([config_id])[0].table
        run_id = add_run(config_id, datetime.now(UTC), why, state="queued", destination=table)
        launched = launch(run_id, self.store, lambda _: "US", self.executions, self.wiring.settings)
        assert launched == "launched"
        return self.run(run_id)

    def run(self, run_id: str) -> Run:
        standing = self.store.find_run(run_id)
        assert standing is not None
        return standing.run

    def load_as_job(self, run: Run, rows: Sequence[dict[str, str]] = ({"n": "1"},), *, wait: bool = True) -> None:
        """Loads the run's table as the job would, under the attempt's id."""
        dataset = run.destination.rpartition(".")[0]
        self.warehouse.create_dataset(dataset, exists_ok=True)
        config = bigquery.LoadJobConfig(write_disposition="WRITE_TRUNCATE")
        config.schema = [bigquery.SchemaField(name, "STRING") for name in rows[0]]
        config.labels = load_job.labels(run.id, run.attempt, (run.execution or "e").rpartition("/")[2], "loaded")
        job = self.warehouse.load_table_from_json(
            list(rows),
            run.destination,
            job_id=load_job.job_id(run.id, run.attempt),
            location=run.job_location,
            job_config=config,
        )
        if wait:
            job.result()

    def load_shadow(self, config_id: int, rows: Sequence[dict[str, str]]) -> None:
        """The shadow run that `migrate.py shadow` queued ends with these rows in its table."""
        (run,) = [each for each in self.store.open_runs([config_id]) if each.why == "shadow"]
        wiring = self.wiring
        assert launch(run.id, self.store, wiring.location_of, self.executions, wiring.settings) == "launched"
        run = self.run(run.id)
        self.load_as_job(run, rows)
        assert settle(run, self.store, wiring.bigquery, self.executions, wiring.settings) == "succeeded"

    def message_at_service(self, config_id: int, seconds: float) -> None:
        """A message that the service got and has not answered; it may be at work for so long."""
        self.sql(
            "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, begun_at, open_until)"
            " VALUES ('m' || random(), :id, now(), now() + CAST(:seconds AS float8) * interval '1 second')",
            id=config_id,
            seconds=seconds,
        )

    def compared(self, config_id: int, *verdicts: str) -> None:
        """Comparisons of as many loads of the service's, one after another."""
        for verdict in verdicts:
            self.sql(
                """
                INSERT INTO sheet_to_bigquery_comparisons
                    (config_id, config_name, compared_at, service_table, job_table, run_id, service_loaded_at, verdict)
                SELECT :id, 'sales', clock_timestamp(), :table, 'j', gen_random_uuid(), clock_timestamp(), :verdict
                """,
                id=config_id,
                table=self.store.list_owned([config_id])[0].table,
                verdict=verdict,
            )


@pytest.fixture
def team(
    environment: dict[str, str],
    migrated: Database,
    store: Store,
    sql: Callable[..., list[Any]],
    add_config: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> Team:
    """A team that has started its migration."""
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", environment["BIGQUERY_EMULATOR_HOST"])  # the library reads it itself
    with connect(migrated) as connection:
        list(tracking.start(connection, migrated.configs_table))
    return Team(store, sql, add_config, Wiring(environment))
