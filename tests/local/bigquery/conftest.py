"""A BigQuery server as a real process, and Google's client pointed at it."""

import io
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

PROJECT = "local-project"
REPOSITORY = Path(__file__).parents[3]


class Server:
    """`python -m local.bigquery` on a free port over `data`."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        command = [sys.executable, "-m", "local.bigquery", "--port", "0", "--data", str(data), *options]
        data.mkdir(parents=True, exist_ok=True)
        self._log = (data / "server.log").open("a+")
        self._log.seek(0, os.SEEK_END)
        began = self._log.tell()
        self._process = subprocess.Popen(command, cwd=REPOSITORY, stderr=self._log)
        self.url = self._announced_url(began)

    def _announced_url(self, began: int) -> str:
        for _ in range(200):
            self._log.seek(began)
            line = next((line for line in self._log if "serving on " in line), None)
            if line is not None:
                url = line.split("serving on ")[1].strip()
                with suppress(httpx.TransportError):
                    assert httpx.get(url + "/").text == "Ok"
                    return url
            assert self._process.poll() is None, "the server ended while starting: see its server.log"
            time.sleep(0.05)
        raise AssertionError("the server does not serve")

    def client(self, location: str | None = None) -> bigquery.Client:
        return bigquery.Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),
            location=location,
            client_options={"api_endpoint": self.url},
        )

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Its exit code."""
        self._process.send_signal(how)
        code = self._process.wait(timeout=10)
        self._log.close()
        return code


class Warehouse:
    """One test's own dataset, and short words for what tests do with it."""

    def __init__(self, client: bigquery.Client, dataset: str) -> None:
        self.client = client
        self.dataset = dataset

    def table(self, name: str = "t") -> str:
        return f"{PROJECT}.{self.dataset}.{name}"

    def load(self, rows: Any, table: str = "t", job_id: str | None = None, **options: Any) -> bigquery.LoadJob:
        """Load Arrow columns (as Parquet), or bytes in the format of `source_format`; started, not awaited."""
        if isinstance(rows, dict):
            rows = pa.table(rows)
        if isinstance(rows, pa.Table):
            rows = parquet(rows)
            options.setdefault("source_format", "PARQUET")
        configuration = bigquery.LoadJobConfig(**options)
        source = io.BytesIO(rows)
        return self.client.load_table_from_file(source, self.table(table), job_id=job_id, job_config=configuration)

    def loaded(self, rows: Any, table: str = "t", **options: Any) -> bigquery.LoadJob:
        """Load and wait; raises the job's error."""
        job = self.load(rows, table, **options)
        job.result(timeout=30)
        return job

    def sql(self, statement: str, *parameters: Any, **options: Any) -> list[tuple[Any, ...]]:
        """`{t}` stands for the test's table t, `{d}` for its dataset."""
        configuration = bigquery.QueryJobConfig(query_parameters=list(parameters), **options)
        text = statement.replace("{t}", f"`{self.table()}`").replace("{d}", f"`{PROJECT}`.{self.dataset}")
        return [row.values() for row in self.client.query_and_wait(text, job_config=configuration)]

    def rows(self, table: str = "t") -> list[tuple[Any, ...]]:
        """As tabledata.list gives them."""
        return [row.values() for row in self.client.list_rows(self.table(table))]


def parquet(rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(rows, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("bigquery"))
    yield running
    assert running.stop() == 0


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """A server of the test's own, with options; the same folder again unless another is named."""
    started: list[Server] = []

    def start(*options: str, data: Path = tmp_path / "data") -> Server:
        started.append(Server(data, *options))
        return started[-1]

    yield start
    for running in started:
        if running._process.poll() is None:
            running.stop()


@pytest.fixture
def warehouse(server: Server) -> Warehouse:
    """An empty dataset in the EU."""
    return new_warehouse(server.client("EU"))


@pytest.fixture(scope="session")
def make_warehouse() -> Callable[[bigquery.Client], Warehouse]:
    return new_warehouse


def new_warehouse(client: bigquery.Client) -> Warehouse:
    name = f"d_{uuid.uuid4().hex[:12]}"
    dataset = bigquery.Dataset(f"{PROJECT}.{name}")
    dataset.location = "EU"
    client.create_dataset(dataset)
    return Warehouse(client, name)
