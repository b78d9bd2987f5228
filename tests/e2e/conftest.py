"""A team at work with the running system: writes sheets, adds configs, dispatches, publishes, waits, looks."""

import json
import time
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
import xlsxwriter
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from local.clients import LocalClients
from local.environment import PROJECT
from local.pubsub import REQUESTS
from local.runs import RunSeen, look_at_last_runs, look_at_runs
from local.scheduler import call
from local.system import System

DATASET = "end_to_end"


class Team:
    """What people and Google's services do with the system, through the real interfaces."""

    def __init__(self, system: System, clients: LocalClients) -> None:
        self.system = system
        self.clients = clients

    def unique(self, name: str) -> str:
        """A name that no other test has: for configs, tables and spreadsheets alike."""
        return f"{name}_{uuid.uuid4().hex[:8]}"

    def write_sheet(self, name: str, rows: Iterable[Sequence[Any]], tab: str = "Sheet1") -> Path:
        """Write a spreadsheet whose id is `name`; the first row is its header."""
        path = self.system.samples / f"{name}.xlsx"
        # Written beside and moved, as editors save: nobody sees half of it.
        unfinished = self.system.folder / f"{name}.xlsx"
        with xlsxwriter.Workbook(unfinished, {"default_date_format": "yyyy-mm-dd"}) as workbook:
            worksheet = workbook.add_worksheet(tab)
            for number, row in enumerate(rows):
                worksheet.write_row(number, 0, row)
        unfinished.replace(path)
        return path

    def add_config(self, name: str, spreadsheet: str | None = None, tab: str | None = None, **columns: Any) -> int:
        """Insert a config's row, as a portal does: a spreadsheet's id, `name` by default, into a table `name`."""
        row = {
            "name": name,
            "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{spreadsheet or name}/edit",
            "google_sheet_tab_name": tab,
            "google_cloud_project_id": PROJECT,
            "bigquery_dataset_id": DATASET,
            "bigquery_table_id": name,
            **columns,
        }
        names, values = ", ".join(row), ", ".join(f":{column}" for column in row)
        statement = f"INSERT INTO sheet_to_bigquery_configs ({names}) VALUES ({values}) RETURNING id"
        return int(self.clients.postgres.run(statement, **row)[0][0])

    def set_config(self, config_id: int, **columns: Any) -> None:
        """Edit a config's row."""
        changes = ", ".join(f"{column} = :{column}" for column in columns)
        statement = f"UPDATE sheet_to_bigquery_configs SET {changes} WHERE id = :config_id"
        self.clients.postgres.run(statement, config_id=config_id, **columns)

    def dispatch(self, **body: Any) -> dict[str, Any]:
        """POST /run as Cloud Scheduler does; the answer."""
        return self._call("/run", body)

    def sweep(self) -> dict[str, Any]:
        """POST /sweep; the answer."""
        return self._call("/sweep", {})

    def publish(self, message: Any, topic: str = REQUESTS) -> str:
        """Publish a message to a topic, by hand to that of requests; its id."""
        host = self.system.settings["PUBSUB_EMULATOR_HOST"]
        client = PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(host)))
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        name = f"projects/{PROJECT}/topics/{topic}"
        return str(client.publish(topic=name, messages=[{"data": data}], timeout=10).message_ids[0])

    def runs(self, *config_ids: int) -> list[RunSeen]:
        """The configs' runs as they are now, oldest first."""
        return look_at_runs(self.clients, config_ids)

    def wait_for_runs(self, *config_ids: int, count: int = 1, seconds: float = 60) -> list[RunSeen]:
        """Wait until each config has `count` runs, all of them ended, and return them; fails in time."""
        begun = time.monotonic()
        deadline = begun + seconds
        while True:
            runs = self.runs(*config_ids)
            if all(run.ended for run in runs) and len(runs) >= count * len(config_ids):
                return runs
            self.system.check_running()
            if time.monotonic() > deadline:
                pytest.fail(f"after {seconds} s: {[(run.state, run.error) for run in runs]}")
            # Who waits for long need not hear at once: looking costs what the runs could use.
            time.sleep(0.1 + (time.monotonic() - begun) / 50)

    def last_run(self, config_id: int) -> datetime | None:
        """The config's `last_run`."""
        last_run: datetime | None = look_at_last_runs(self.clients, [config_id])[config_id]
        return last_run

    def table(self, name: str) -> list[dict[str, Any]]:
        """All rows of a table, by SQL; `NotFound` where there is none."""
        rows = self.clients.bigquery.query_and_wait(f"SELECT * FROM `{PROJECT}.{DATASET}.{name}`")
        return [dict(row.items()) for row in rows]

    def types(self, name: str) -> dict[str, str]:
        """A table's columns and their types, as SQL names them."""
        rows = self.clients.bigquery.query_and_wait(
            f"SELECT column_name, data_type FROM `{PROJECT}`.{DATASET}.INFORMATION_SCHEMA.COLUMNS"
            f" WHERE table_name = '{name}' ORDER BY ordinal_position"
        )
        return {row["column_name"]: row["data_type"] for row in rows}

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        encoded = json.dumps(body).encode() if body else b""
        answer = call(self.system.addresses["dispatch"], path, self.system.key_file, encoded)
        return dict(json.loads(answer))


@pytest.fixture
def team(system: System, clients: LocalClients) -> Team:
    """People who use the worker's system."""
    return Team(system, clients)
