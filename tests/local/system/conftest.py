"""Parts of the local system that start in a second, each apart from the whole."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from local.component import Component, wait_until_ready
from local.ports import reserve_port
from local.postgres import Postgres
from local.pubsub import PubSub

ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class RunningPostgres:
    """A server of its own, and its process."""

    server: Postgres
    process: Component


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPostgres]:
    """A PostgreSQL server with the product's database."""
    folder = tmp_path_factory.mktemp("postgres")
    server = Postgres.in_folder(folder / "server", reserve_port())
    server.create_cluster()
    process = server.component(ENVIRONMENT, folder / "log")
    try:
        process.start()
        wait_until_ready([process], 30)
        server.create_database()
        yield RunningPostgres(server, process)
    finally:
        process.stop()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSub]:
    """A Pub/Sub emulator."""
    folder: Path = tmp_path_factory.mktemp("pubsub")
    server = PubSub("example-project", reserve_port())
    process = server.component(ENVIRONMENT, folder, folder / "log")
    try:
        process.start()
        wait_until_ready([process], 30)
        yield server
    finally:
        process.stop()


@pytest.fixture
def pubsub(emulator: PubSub) -> PubSub:
    """A project of the test's own in the emulator, without topics."""
    return replace(emulator, project=f"project-{uuid.uuid4()}")
