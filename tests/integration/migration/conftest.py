"""A config's two tables in the local BigQuery, loaded by the test as the service and a shadow run would load them."""

import io
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from local.component import wait_until_ready
from migration.comparison import Comparison, compare
from shared import load_job
from shared.config import Config, parse_config
from shared.ledger.statements import SOURCE
from shared.ledger.store import Store
from tests.integration.servers import server

PROJECT = "test-project"
SUFFIX = "_shadow"
Rows = Sequence[Sequence[str | None]]


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    folder = tmp_path_factory.mktemp("bigquery")
    component = server("bigquery", folder, ["--data", str(folder / "data")])
    component.start()
    try:
        wait_until_ready([component], seconds=30)
        yield bigquery.Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": component.address},
        )
    finally:
        component.stop()


class Desk:
    """A config in the ledger, and its table in both datasets."""

    def __init__(self, client: bigquery.Client, store: Store, sql: Callable[..., Any], config: Config) -> None:
        self.client = client
        self.store = store
        self.sql = sql
        self.config = config
        self.shadow = config.shadow(SUFFIX)

    def make_datasets(self, shadow_location: str = "US") -> None:
        for config, location in ((self.config, "US"), (self.shadow, shadow_location)):
            dataset = bigquery.Dataset(f"{PROJECT}.{config.bigquery_dataset_id}")
            dataset.location = location
            self.client.create_dataset(dataset)

    def service_loads(self, names: Sequence[str], rows: Rows, **types: str) -> datetime:
        """As the older service does: without a word in the ledger. Tells when the table was written."""
        self._load(self.config, names, rows, types, str(uuid.uuid4()), {})
        return self.client.get_table(self.config.destination).modified

    def shadow_loads(self, names: Sequence[str], rows: Rows, run: dict[str, Any] | None = None, **types: str) -> str:
        """As a shadow run does. Tells the run's id."""
        return self._run_loads(self.shadow, names, rows, {"why": "shadow"} | (run or {}), types)

    def job_loads(self, names: Sequence[str], rows: Rows) -> str:
        """As a run does that the schedule made while the job owned the config's own table. Tells its id."""
        return self._run_loads(self.config, names, rows, {"why": "schedule"}, {})

    def _run_loads(
        self, config: Config, names: Sequence[str], rows: Rows, run: dict[str, Any], types: dict[str, str]
    ) -> str:
        """As an attempt of the job's does: under its id, with its labels, and a row in the ledger."""
        now = self.store.now()
        location = self.client.get_dataset(f"{PROJECT}.{config.bigquery_dataset_id}").location
        values = {
            "id": str(uuid.uuid4()),
            "config_id": self.config.id,
            "config_name": self.config.name,
            "destination": config.destination,
            "slot": now,
            "state": "succeeded",
            "created_at": now,
            "not_before": now,
            "claimed_at": now,
            "ended_at": now + timedelta(seconds=1),
            "attempt": 1,
            "reads": 4,
            "verdict": "loaded",
            "job_project": PROJECT,
            "job_location": location,
            **run,
        }
        columns, parameters = ", ".join(values), ", ".join(f":{column}" for column in values)
        self.sql(f"INSERT INTO sheet_to_bigquery_runs ({columns}) VALUES ({parameters})", **values)
        source = f"(SELECT {SOURCE.format(c='c')} FROM sheet_to_bigquery_configs c WHERE c.id = r.config_id)"
        self.sql(
            f"UPDATE sheet_to_bigquery_runs r SET source = {source} WHERE id = :id",
            id=values["id"],
        )
        labels = load_job.labels(values["id"], 1, "job-abcde", "loaded")
        self._load(config, names, rows, types, load_job.job_id(values["id"], 1), labels)
        return values["id"]

    def compare(self, **options: Any) -> Comparison:
        return compare(self.config, SUFFIX, self.store, self.client, self.store.now(), **options)

    def _load(
        self, config: Config, names: Sequence[str], rows: Rows, types: dict[str, str], job_id: str, labels: Any
    ) -> None:
        schema = [bigquery.SchemaField(name, types.get(name, "STRING")) for name in names]
        columns = [pa.array([row[number] for row in rows]) for number in range(len(names))]
        arrays = [each.cast(pa.string()) if pa.types.is_null(each.type) else each for each in columns]
        buffer = io.BytesIO()
        pq.write_table(pa.table(arrays, list(names)), buffer)
        buffer.seek(0)
        settings = bigquery.LoadJobConfig(
            source_format="PARQUET", schema=schema, write_disposition="WRITE_TRUNCATE", labels=labels
        )
        location = self.client.get_dataset(f"{PROJECT}.{config.bigquery_dataset_id}").location
        self.client.load_table_from_file(
            buffer, config.destination, job_config=settings, job_id=job_id, location=location
        ).result(timeout=60)


@pytest.fixture
def new_desk(
    client: bigquery.Client, store: Store, sql: Callable[..., Any], add_config: Callable[..., int]
) -> Callable[[], Desk]:
    """A config whose datasets are not made yet."""

    def new(**values: Any) -> Desk:
        name = f"sales_{uuid.uuid4().hex[:8]}"
        config_id = add_config(name, bigquery_dataset_id=name, **values)
        row = sql("SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c WHERE id = :id", id=config_id)[0][0]
        return Desk(client, store, sql, parse_config(row))

    return new


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    made = new_desk()
    made.make_datasets()
    return made


@pytest.fixture
def long_ago() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)
