"""MIGRATION_GUIDE.md, walked from its first block to its last by a team that has the older service."""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.clients import LocalClients
from local.environment import PROJECT
from local.pubsub import PORTAL
from local.sample_files import SAMPLES
from local.system import System
from tests.deploy.linter import lint
from tests.deploy.serving import served
from tests.e2e.conftest import DATASET, Team
from tests.guide.blocks import Block, read_blocks
from tests.guide.older_service import add_older_service
from tests.guide.reader import Reader

DOCUMENT = "MIGRATION_GUIDE.md"
NAMES = ("config1", "config2", "config3", "config4")


def url(spreadsheet: str) -> str:
    return f"https://docs.google.com/spreadsheets/d/{spreadsheet}/edit"


def service_log(config: str) -> str:
    """A month of the service, as gcloud prints it: every request at six, the config's every four hours."""
    begin = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
    requests = [
        {
            "timestamp": (begin + timedelta(days=day)).isoformat(),
            "httpRequest": {"requestMethod": "POST", "status": 500 if day == 3 else 200, "latency": "7.5s"},
        }
        for day in range(30)
    ]
    lines = [
        {"timestamp": (begin + timedelta(hours=4 * each)).isoformat(), "textPayload": f'Loaded "{config}"'}
        for each in range(100)
    ]
    return json.dumps(requests + lines)


class Portal:
    """What goes on around the reader: the portal publishes, and the older service loads what it is handed."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.ids: dict[str, int] = {}

    def add(self, name: str) -> None:
        (self.team.system.samples / f"{name}.xlsx").write_bytes((SAMPLES / "inventory.xlsx").read_bytes())
        self.ids[name] = self.team.add_config(name)

    def publish(self) -> None:
        """Each config once, and waits until all have been acted on, and nothing runs any more."""
        before = self._forwarded()
        for name, config_id in self.ids.items():
            message = {
                "id": config_id,
                "name": name,
                "google_sheet_url": url(name),
                "google_sheet_tab_name": None,
                "google_cloud_project_id": PROJECT,
                "bigquery_dataset_id": DATASET,
                "bigquery_table_id": name,
                "schema_handling": "auto_detect",
                "custom_schema": None,
            }
            self.team.publish(message, PORTAL)
        self._wait(lambda: self._forwarded() == before + len(self.ids))
        self._wait(lambda: all(run.ended for run in self.team.runs(*self.ids.values())))

    def _forwarded(self) -> int:
        asked = "SELECT count(*) FROM sheet_to_bigquery_forwards WHERE status = 200"
        [[count]] = self.team.clients.postgres.run(asked)
        return int(count)

    def _wait(self, comes: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not comes():
            self.team.system.check_running()
            assert time.monotonic() < deadline, self.team.system.tail("forward")
            time.sleep(0.1)


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    """Of a team with four configs of the older service, and with a system of its own: its configs change owners."""
    folder = tmp_path / "system"
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "inventory.xlsx").write_bytes((SAMPLES / "inventory.xlsx").read_bytes())
    with System(folder, folder / "samples", with_service=True) as system:
        portal = Portal(Team(system, LocalClients(system.settings)))
        for name in NAMES:
            portal.add(name)
        yield portal


@pytest.fixture
def reader(portal: Portal, tmp_path: Path) -> Iterator[Reader]:
    """Somebody with a Google Cloud project, and with names of their own where the guide has examples."""
    system = portal.team.system
    settings = system.settings
    words = {
        "problematic_config1": "config2",
        "problematic_config2": "config3",
        "hkd-reporting": PROJECT,
        "your-postgres-host": settings["POSTGRES_HOST"],
        "POSTGRES_PORT=5432": f"POSTGRES_PORT={settings['POSTGRES_PORT']}",
        '"POSTGRES_PORT": 5432': f'"POSTGRES_PORT": {settings["POSTGRES_PORT"]}',
        "POSTGRES_PORT: '5432'": f"POSTGRES_PORT: '{settings['POSTGRES_PORT']}'",
        "your-database": settings["POSTGRES_DB"],
        "your-username": settings["POSTGRES_USER"],
        "your-password": settings["POSTGRES_PASSWORD"],
        "YOUR_TEST_SHEET_URL": url("inventory"),
        "your_dataset": DATASET,
        "/path/to": str(tmp_path / "clone"),
    }
    # Nobody's metrics are there to be asked for.
    nobody = {"MONITORING_API_ENDPOINT": "http://127.0.0.1:9"}
    with served(tmp_path / "cloud", project=PROJECT) as cloud:
        add_older_service(cloud)
        yield Reader(tmp_path, system, words, cloud, nobody, ready={"logging-read": service_log(NAMES[0])})


def test_every_block_works_in_its_order(reader: Reader, portal: Portal) -> None:
    blocks = read_blocks(DOCUMENT)
    happens = between(blocks, reader, portal)
    seen: dict[str, list[Any]] = {}
    for block in blocks:
        for words in [words for words in happens if words in block.text]:
            happens.pop(words)()
        reader.follow(block)
        seen[block.section] = marks(portal)
    assert happens == {}
    assert seen["Step 2: prepare the database"] == ["service"] * 4
    assert seen["Step 10: compare"] == ["shadow"] * 3 + ["service"]
    assert seen["Then promote them"] == ["job_ready"] * 3 + ["service"]
    assert seen["Step 11: the rest"] == ["job_ready"] * 4
    assert seen["Step 15: tracking and test data"] == ["no such column"] * 4
    assert seen["Some configs"] == ["job_ready", "service", "service", "job_ready"]
    assert seen["Everything, at once"] == ["service"] * 4
    assert lint(reader.asked_gcloud) == []


def between(blocks: list[Block], reader: Reader, portal: Portal) -> dict[str, Callable[[], None]]:
    """What happens before the block that has these words in it."""

    def load_twice_more() -> None:
        [compare] = [block for block in blocks if block.text == "python migrate.py compare\n"]
        for _ in range(2):
            portal.publish()
            reader.follow(dataclasses.replace(compare, prints=("MATCH",)))

    def mark_again() -> None:
        """Back to where a rollback is needed: in the middle of phase 4."""
        portal.team.clients.postgres.run("UPDATE sheet_to_bigquery_configs SET migration_status = 'job_ready'")

    return {
        "FROM sheet_to_bigquery_forwards": portal.publish,
        "migrate.py promote": load_twice_more,
        "migrate.py rollback problematic": mark_again,
    }


def marks(portal: Portal) -> list[Any]:
    """The configs' marks, as their rows have them."""
    statement = "SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c WHERE id = ANY(:ids) ORDER BY id"
    rows = portal.team.clients.postgres.run(statement, ids=list(portal.ids.values()))
    return [row.get("migration_status", "no such column") for (row,) in rows]
