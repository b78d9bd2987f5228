"""PostgreSQL and the Pub/Sub emulator, with databases to copy and a subscription whose messages are counted."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pg8000.native

from local.bench.dispatch import fleet
from local.bench.dispatch.topic import Topic
from local.component import wait_until_ready
from local.environment import PROJECT
from local.ports import HOST, reserve_port
from local.postgres import SUPERUSER, USER, Postgres
from local.pubsub import REQUESTS, PubSub
from shared.ledger.connection import connect
from shared.settings import read_database
from sql.migrations import up

SECONDS_TO_START = 60
# So high that neither holds a run back.
NO_LIMIT = "1000000"


class Stage:
    """A context manager: leaving it stops the servers. Database names are SQL identifiers."""

    def __init__(self) -> None:
        self._exit = ExitStack()

    def __enter__(self) -> "Stage":
        with ExitStack() as starting:
            folder = Path(starting.enter_context(tempfile.TemporaryDirectory(prefix="bench-dispatch-")))
            self._folder = folder
            self._postgres = Postgres.in_folder(folder / "postgres", reserve_port())
            self._postgres.create_cluster()
            self._pubsub = PubSub(PROJECT, reserve_port())
            servers = [
                self._postgres.component(os.environ, folder / "postgres.log"),
                self._pubsub.component(os.environ, folder, folder / "pubsub.log"),
            ]
            for server in servers:
                starting.callback(server.stop)
                server.start()
            wait_until_ready(servers, SECONDS_TO_START)
            self._postgres.create_database()
            self._exit = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def environment(self, database: str) -> Mapping[str, str]:
        """A program's whole environment: the product's settings with no limit in them, on one database."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            **self._postgres.settings,
            "POSTGRES_DB": database,
            "PUBSUB_EMULATOR_HOST": self._pubsub.host,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "REQUEST_TOPIC": REQUESTS,
            "MAX_RUNNING": NO_LIMIT,
            "SHEETS_READS_PER_MINUTE": NO_LIMIT,
        }

    def create_fleet(self, database: str, configs: int, due: int) -> None:
        """A database of the product's with so many configs, of which so many are due."""
        self.create(database)
        with connect(read_database(self.environment(database))) as connection:
            list(up(connection, "sheet_to_bigquery_configs"))
        with self._connected(database) as connection:
            fleet.fill(connection, configs, due)

    def create(self, database: str, template: str = "template1") -> None:
        """A database of the product's role, a copy of another that nobody is connected to."""
        copy = f"CREATE DATABASE {database} OWNER {USER} TEMPLATE {template} STRATEGY file_copy"
        with self._connected("postgres") as connection:
            connection.run(copy)
            # What a copy leaves to be written would else be written during the run.
            connection.run("CHECKPOINT")

    def drop(self, database: str) -> None:
        with self._connected("postgres") as connection:
            connection.run(f"DROP DATABASE {database} WITH (FORCE)")

    def ask(self, database: str, query: str) -> Any:
        """The one value that a query gives."""
        with self._connected(database) as connection:
            return connection.run(query)[0][0]

    @property
    def topic(self) -> Topic:
        """The topic that requests are published to."""
        return Topic(f"http://{self._pubsub.host}/v1/projects/{PROJECT}", REQUESTS)

    @contextmanager
    def _connected(self, database: str) -> Iterator[pg8000.native.Connection]:
        connection = pg8000.native.Connection(
            SUPERUSER,
            host=HOST,
            port=int(self._postgres.settings["POSTGRES_PORT"]),
            database=database,
            password=self._postgres.password,
        )
        try:
            yield connection
        finally:
            connection.close()
