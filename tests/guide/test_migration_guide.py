"""MIGRATION_GUIDE.md, walked from its first block to its last by a team that has the older service."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.cloud import bigquery

from local.clients import LocalClients
from local.environment import PROJECT
from local.sample_files import SAMPLES
from local.system import System
from tests.deploy.linter import lint
from tests.deploy.serving import served
from tests.e2e.conftest import DATASET, Team
from tests.e2e.test_parity import older_service
from tests.guide.blocks import read_blocks
from tests.guide.reader import Reader, apply_migrations

DOCUMENT = "MIGRATION_GUIDE.md"
# It has a revision from before, which serves a little.
OLDER_SERVICE = {
    "metadata": {"name": "service-sheettobigquery"},
    "status": {"traffic": [{"latestRevision": True, "percent": 90}, {"revisionName": "older", "percent": 10}]},
}


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


def load_as_the_service(clients: LocalClients, name: str) -> None:
    """The table that the older service has made of the spreadsheet of that name."""
    columns, rows = older_service(clients, name, "Stock")
    schema = [bigquery.SchemaField(column, "STRING") for column in columns]
    lines = [dict(zip(columns, row, strict=True)) for row in rows]
    table = f"{PROJECT}.{DATASET}.{name}"
    config = bigquery.LoadJobConfig(schema=schema, write_disposition="WRITE_TRUNCATE")
    clients.bigquery.create_dataset(DATASET, exists_ok=True)
    clients.bigquery.load_table_from_json(lines, table, job_config=config).result()


@pytest.fixture
def migrating(team: Team, system: System, clients: LocalClients) -> Iterator[dict[str, str]]:
    """A team with three configs of the older service, by their names in the guide; what the guide adds goes again."""
    names = {f"config{number}": team.unique(f"config{number}") for number in (1, 2, 3)}
    sample = (SAMPLES / "inventory.xlsx").read_bytes()
    for name in names.values():
        (system.samples / f"{name}.xlsx").write_bytes(sample)
        team.add_config(name)
        load_as_the_service(clients, name)
    yield names
    clients.postgres.run("DROP VIEW IF EXISTS active_job_configs")
    clients.postgres.run("ALTER TABLE sheet_to_bigquery_configs DROP COLUMN IF EXISTS migration_status")
    clients.postgres.run("DROP TABLE IF EXISTS sheet_to_bigquery_configs_before")
    clients.postgres.run("DELETE FROM sheet_to_bigquery_configs WHERE name LIKE 'migration_test%'")
    apply_migrations(system)


@pytest.fixture
def reader(migrating: dict[str, str], system: System, tmp_path: Path) -> Iterator[Reader]:
    """Somebody with a Google Cloud project, and with names of their own where the guide has examples."""
    settings = system.settings
    config1, config2, config3 = migrating.values()
    words = {
        "problematic_config1": config2,
        "problematic_config2": config3,
        "config1": config1,
        "'config2'": f"'{config2}'",
        "'config3'": f"'{config3}'",
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
    with served(tmp_path / "cloud", project=PROJECT) as cloud:
        state = cloud.state
        state["resources"]["run services"] = {"service-sheettobigquery": OLDER_SERVICE}
        cloud.write(state)
        yield Reader(tmp_path, system, words, cloud, ready={"logging-read": service_log(config1)})


def test_every_block_works_in_its_order(reader: Reader, team: Team, migrating: dict[str, str]) -> None:
    def marks() -> list[str | None]:
        return [mark(team, name) for name in migrating.values()]

    seen: dict[str, list[str | None]] = {}
    for section, blocks in itertools.groupby(read_blocks(DOCUMENT), key=lambda block: block.section):
        if section == "At once":
            mark_again(team)
        reader.follow_all(list(blocks))
        seen[section] = marks()
    assert seen["Step 2: prepare the database"] == [None] * 3
    assert seen["Step 8: mark low-risk configs"] == ["job_ready"] * 3
    assert seen["Step 15: tracking and test data"] == ["no such column"] * 3
    assert seen["At once"] == ["service"] * 3
    assert lint(reader.asked_gcloud) == []


def mark_again(team: Team) -> None:
    """Back to where a rollback is needed: in the middle of phase 4."""
    team.clients.postgres.run("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status varchar(20)")
    team.clients.postgres.run("UPDATE sheet_to_bigquery_configs SET migration_status = 'job_ready'")


def mark(team: Team, name: str) -> str | None:
    """The config's mark, as its row has it."""
    statement = "SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c WHERE name = :name"
    [[row]] = team.clients.postgres.run(statement, name=name)
    found: str | None = row.get("migration_status", "no such column")
    return found
