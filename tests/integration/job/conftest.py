"""The job as a process against the local system: sheets made by the test, tables looked at by SQL."""

import json
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import msgspec
import pytest
import xlsxwriter
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.clients import LocalClients
from local.environment import PROJECT
from local.system import System
from shared import load_job
from shared.messages import RunCompleted

REPOSITORY = Path(__file__).parents[3]
DATASET = "job_tests"
FORMATS = {"date": "yyyy-mm-dd", "moment": "yyyy-mm-dd hh:mm:ss", "time": "hh:mm", "duration": "[h]:mm:ss"}


class Shown(NamedTuple):
    """A number with a number format of its own."""

    value: float
    format: str


class Error(NamedTuple):
    """A cell whose formula ends in an error."""

    text: str


class Ended(NamedTuple):
    """How the job's process ended."""

    code: int
    line: str
    log: str


class Desk:
    """What a test does with the job: writes sheets, runs it, looks at tables, jobs and messages."""

    def __init__(self, system: System, clients: LocalClients, topic: str) -> None:
        self.system = system
        self.bigquery = clients.bigquery
        self.topic = topic
        self.id = f"sheet_{uuid.uuid4().hex[:12]}"

    def write(self, tabs: dict[str, Sequence[Sequence[Any]]]) -> None:
        """Writes this desk's spreadsheet: per tab its rows, the first one the header."""
        unfinished = self.system.folder / f"{self.id}.xlsx"
        with xlsxwriter.Workbook(unfinished) as book:
            formats: dict[str, Any] = {}
            for title, rows in tabs.items():
                sheet = book.add_worksheet(title)
                for down, row in enumerate(rows):
                    for right, cell in enumerate(row):
                        _write_cell(book, sheet, formats, down, right, cell)
        unfinished.replace(self.system.samples / f"{self.id}.xlsx")

    def keep_private(self, state: str) -> None:
        """Makes this desk's spreadsheet answer as `sharing.json` of the local Sheets server tells."""
        path = self.system.samples / "sharing.json"
        states = json.loads(path.read_text()) if path.exists() else {}
        unfinished = self.system.folder / "sharing.json"
        unfinished.write_text(json.dumps({**states, self.id: state}))
        unfinished.replace(path)

    def run(self, **settings: str) -> Ended:
        """Runs `main.py` with the guide's variables and these; the table has the desk's name."""
        environment = {
            **self.system.environment,
            "CONFIG_ID": "7",
            "CONFIG_NAME": "sales",
            "GOOGLE_SHEET_URL": f"https://docs.google.com/spreadsheets/d/{self.id}/edit",
            "GOOGLE_CLOUD_PROJECT_ID": PROJECT,
            "BIGQUERY_DATASET_ID": DATASET,
            "BIGQUERY_TABLE_ID": self.id,
            "SCHEMA_HANDLING": "auto_detect",
            **settings,
        }
        done = subprocess.run(
            [sys.executable, "main.py"],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(done.returncode, done.stdout.rstrip("\n"), done.stderr)

    def run_for(self, run_id: str, attempt: int = 1, execution: str = "job-abcde", **settings: str) -> Ended:
        """Runs it as launch does, for a run's attempt."""
        return self.run(
            RUN_ID=run_id,
            RUN_ATTEMPT=str(attempt),
            BIGQUERY_JOB_PROJECT=PROJECT,
            COMPLETION_TOPIC=self.topic,
            CLOUD_RUN_EXECUTION=execution,
            **{"BIGQUERY_LOCATION": "US", **settings},
        )

    def with_schema(self, *columns: dict[str, str]) -> dict[str, str]:
        return {"SCHEMA_HANDLING": "custom", "CUSTOM_SCHEMA": json.dumps(columns)}

    def rows(self, order: str = "") -> list[tuple[Any, ...]]:
        """The table's rows, by SQL."""
        statement = f"SELECT * FROM `{PROJECT}.{DATASET}.{self.id}` {order}"
        return [tuple(row.values()) for row in self.bigquery.query_and_wait(statement)]

    def columns(self) -> dict[str, str]:
        """The table's columns and types, as BigQuery's SQL tells them."""
        statement = (
            f"SELECT column_name, data_type FROM `{PROJECT}.{DATASET}`.INFORMATION_SCHEMA.COLUMNS"
            f" WHERE table_name = '{self.id}' ORDER BY ordinal_position"
        )
        return {row["column_name"]: row["data_type"] for row in self.bigquery.query_and_wait(statement)}

    def job(self, run_id: str, attempt: int = 1) -> Any:
        return self.bigquery.get_job(load_job.job_id(run_id, attempt), location="US")


@pytest.fixture
def desk(system: System, clients: LocalClients, outcomes: "Outcomes") -> Desk:
    return Desk(system, clients, outcomes.topic)


class Outcomes:
    """A topic of the test's own, and what the job published to it."""

    def __init__(self, host: str) -> None:
        channel = grpc.insecure_channel(host)
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        self._subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        name = f"outcomes-{uuid.uuid4().hex[:12]}"
        self.topic = publisher.create_topic(name=f"projects/{PROJECT}/topics/{name}").name
        subscription = f"projects/{PROJECT}/subscriptions/{name}"
        self._subscription = self._subscriber.create_subscription(name=subscription, topic=self.topic).name

    def taken(self) -> list[RunCompleted]:
        """What runs told since the last call."""
        return [msgspec.json.decode(body, type=RunCompleted) for body in self.bodies()]

    def bodies(self) -> list[bytes]:
        """The messages since the last call; the emulator has them before the job's process ends."""
        try:
            answer = self._subscriber.pull(subscription=self._subscription, max_messages=100, timeout=2)
        except DeadlineExceeded:
            return []
        ids = [each.ack_id for each in answer.received_messages]
        if ids:
            self._subscriber.acknowledge(subscription=self._subscription, ack_ids=ids)
        return [each.message.data for each in answer.received_messages]


@pytest.fixture
def outcomes(system: System) -> Outcomes:
    return Outcomes(system.settings["PUBSUB_EMULATOR_HOST"])


def _write_cell(book: Any, sheet: Any, formats: dict[str, Any], down: int, right: int, cell: Any) -> None:
    if isinstance(cell, Shown):
        pattern = FORMATS.get(cell.format, cell.format)
        formats.setdefault(pattern, book.add_format({"num_format": pattern}))
        sheet.write_number(down, right, cell.value, formats[pattern])
    elif isinstance(cell, Error):
        sheet.write_formula(down, right, "=1/0", None, cell.text)
    elif isinstance(cell, str):
        sheet.write_string(down, right, cell)
    elif cell is not None:
        sheet.write(down, right, cell)
