"""People at their work: they add configs, edit sheets, ask for runs, and write into the database."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
import pg8000.dbapi
import pg8000.native
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from local.environment import PROJECT
from local.ports import HOST
from local.postgres import DATABASE, USER
from local.pubsub import COMPLETIONS, REQUESTS
from shared.ledger.connection import Session
from shared.ledger.store import Store
from tests.faults.checker.history import Request
from tests.faults.components import LIMITS, Components
from tests.faults.sheets import Sheet

DATASET = "faults"
AUDIT, OLD = (Path(__file__).with_name(name) for name in ("audit.sql", "old_runs.sql"))


class People(Components):
    """Around the hops: what people do must not depend on the faults."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        settings: Mapping[str, str] = LIMITS,
        job_settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, seed, settings, job_settings)
        self.sheets: dict[str, Sheet] = {}
        self.configs: dict[int, str] = {}
        self.modes: dict[str, str] = {}
        self.requests: list[Request] = []

    def begin(self) -> None:
        super().begin()
        self.postgres = self.connect()
        self.postgres.run(AUDIT.read_text())
        host = self.system.addresses["pubsub"].removeprefix("http://")
        self._publisher = PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(host)))

    def connect(self) -> pg8000.native.Connection:
        """As the product's role, around the hops; what it changes is a person's doing."""
        return pg8000.native.Connection(
            USER,
            host=HOST,
            port=self.postgres_port,
            database=DATABASE,
            password=self.system.settings["POSTGRES_PASSWORD"],
            timeout=30,
            application_name="person",
        )

    def sql(self, statement: str, **parameters: Any) -> list[Any]:
        """On a connection that may have been broken by a fault meanwhile."""
        try:
            return self.postgres.run(statement, **parameters) or []
        except (pg8000.native.InterfaceError, pg8000.native.DatabaseError, OSError):
            with contextlib.suppress(Exception):
                self.postgres.close()
            self.postgres = self.connect()
            return self.postgres.run(statement, **parameters) or []

    def add_config(self, name: str, seed: int, options: Mapping[str, Any] | None = None, **columns: Any) -> int:
        """A config with a spreadsheet and a table of its name."""
        self.modes[name] = (options or {}).get("load_mode", "replace")
        self.add_sheet(name, seed)
        row = {
            "name": name,
            "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{name}/edit",
            "google_cloud_project_id": PROJECT,
            "bigquery_dataset_id": DATASET,
            "bigquery_table_id": name,
            "options": json.dumps(options or {}),
            **columns,
        }
        names, values = ", ".join(row), ", ".join(f":{column}" for column in row)
        statement = f"INSERT INTO sheet_to_bigquery_configs ({names}) VALUES ({values}) RETURNING id"
        config_id = int(self.sql(statement, **row)[0][0])
        self.configs[config_id] = name
        return config_id

    def add_sheet(self, name: str, seed: int) -> None:
        """A spreadsheet in its first version."""
        self.sheets[name] = Sheet(self.folder / "samples", self.folder / "scratch", name, seed)
        self.sheets[name].write()

    def request(self, config_id: int) -> str:
        """Publish a request by hand; its message's id."""
        return self._publish(REQUESTS, json.dumps({"config_id": config_id}).encode(), config_id)

    def poison(self, data: bytes, topic: str = REQUESTS) -> str:
        """Publish what nobody can understand."""
        return self._publish(topic, data, None)

    def forge(self, completed: Mapping[str, Any]) -> None:
        """Publish what no execution said."""
        self._publisher.publish(
            topic=f"projects/{PROJECT}/topics/{COMPLETIONS}",
            messages=[{"data": json.dumps(completed).encode()}],
            timeout=30,
        )

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Store]:
        """The product's own queries, as its commands use them."""
        connection = pg8000.dbapi.connect(
            USER,
            host=HOST,
            port=self.postgres_port,
            database=DATABASE,
            password=self.system.settings["POSTGRES_PASSWORD"],
            application_name="person",
        )
        connection.autocommit = True
        with contextlib.closing(connection):
            yield Store(Session(connection, "sheet_to_bigquery_configs"))

    def cancel_run(self, run_id: str) -> None:
        """As `job_helper.py cancel` does: a wish, and nothing else."""
        with self.ledger() as store:
            store.cancel(run_id, store.now())

    def pause(self, config_id: int) -> None:
        with self.ledger() as store:
            store.pause_config(config_id, "by hand", store.now())

    def resume(self, config_ids: Sequence[int]) -> None:
        with self.ledger() as store:
            for config_id in config_ids:
                store.resume_config(config_id)

    def write_old_runs(self, config_id: int, youngest: int = 1) -> None:
        """A run and a message a day, back to long before the age at which they are deleted."""
        oldest = youngest + 2 * int(self.limits["RUNS_KEPT_DAYS"])
        for statement in OLD.read_text().split(";\n\n"):
            self.sql(statement, config_id=config_id, youngest=youngest, oldest=oldest)

    def wait_for_end(self, config_id: int, runs: int = 1, seconds: float = 15) -> None:
        """Sweep until a config has so many runs and none of them is open, or for so long."""
        deadline = time.monotonic() + seconds
        ended = "SELECT count(*) >= :runs AND count(*) = count(ended_at) FROM sheet_to_bigquery_runs"
        statement = f"{ended} WHERE config_id = :id"
        while time.monotonic() < deadline and not self.sql(statement, id=config_id, runs=runs)[0][0]:
            self.call("/sweep")
            time.sleep(0.3)

    def wait_for_flight(self, config_id: int, seconds: float = 15) -> bool:
        """Sweep until a run of a config is in flight, or for so long; whether one is."""
        deadline = time.monotonic() + seconds
        statement = """SELECT EXISTS (
            SELECT FROM sheet_to_bigquery_runs WHERE config_id = :id AND state IN ('launching', 'running')
        )"""
        while not (flies := self.sql(statement, id=config_id)[0][0]) and time.monotonic() < deadline:
            self.call("/sweep")
            time.sleep(0.1)
        return bool(flies)

    def _publish(self, topic: str, data: bytes, config_id: int | None) -> str:
        at = time.time()
        answer = self._publisher.publish(
            topic=f"projects/{PROJECT}/topics/{topic}", messages=[{"data": data}], timeout=30
        )
        self.requests.append(Request(str(answer.message_ids[0]), config_id, at))
        return str(answer.message_ids[0])
