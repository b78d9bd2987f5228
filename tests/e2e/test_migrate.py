"""One config's way from the older service to the job and its types, by `migrate.py` on a running system of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.cloud import bigquery

from local.clients import LocalClients
from local.environment import PROJECT
from local.system import REPOSITORY, System
from tests.e2e.conftest import DATASET, Team
from tests.e2e.test_parity import older_service

ROWS = [["id", "Amount in €", "paid"], ["a-1", 2.5, True], ["a-2", 1234.75, False], ["a-3", None, True]]
Migrate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def mover(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team whose configs' owners change: nobody else's system, whose configs have no owners, is touched."""
    folder = tmp_path_factory.mktemp("migrated")
    for name in ("samples", "system"):
        (folder / name).mkdir()
    with System(folder / "system", folder / "samples") as running:
        yield Team(running, LocalClients(running.settings))


@pytest.fixture
def migrate(mover: Team, tmp_path: Path) -> Migrate:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "migrate.py"), *arguments],
            env=dict(mover.system.environment),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def load_as_service(team: Team, name: str) -> None:
    """The table as the older service makes it of the sheet."""
    names, rows = older_service(team.clients, name, "Sheet1")
    client = team.clients.bigquery
    client.create_dataset(f"{PROJECT}.{DATASET}", exists_ok=True)
    schema = [bigquery.SchemaField(each, "STRING") for each in names]
    config = bigquery.LoadJobConfig(schema=schema, write_disposition="WRITE_TRUNCATE")
    values = [dict(zip(names, row, strict=True)) for row in rows]
    client.load_table_from_json(values, f"{PROJECT}.{DATASET}.{name}", job_config=config).result()


def test_a_config_is_proved_promoted_and_typed_with_a_view_of_the_old_shape(mover: Team, migrate: Migrate) -> None:
    name = mover.unique("sales")
    mover.write_sheet(name, ROWS)
    migrate("start")
    config_id = mover.add_config(name, run_frequency_hours=0)
    load_as_service(mover, name)
    before = mover.table(name)
    assert "succeeded" in migrate("shadow", name).stdout
    assert json.loads(migrate("compare", "--json").stdout)[0]["comparison"]["verdict"] == "MATCH"
    migrate("promote", name, "--matches", "1")
    mover.publish({"config_id": config_id})
    mover.wait_for_runs(config_id, count=2)
    assert mover.table(name) == before
    migrate("types", name, "--apply", "--view", f"{name}_as_before")
    assert set(mover.types(name).values()) == {"STRING", "FLOAT64", "BOOL"}
    view = f"{name}_as_before"
    assert mover.types(view) == dict.fromkeys(before[0], "STRING")
    assert sorted(row["id"] for row in mover.table(view)) == ["a-1", "a-2", "a-3"]
    assert {row["paid"] for row in mover.table(view)} == {row["paid"] for row in before}
    migrate("finish", "--yes")
    assert mover.last_run(config_id) is not None
