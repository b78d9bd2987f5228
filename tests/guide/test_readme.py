"""README.md, walked in another terminal than the one of a running system."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.environment import PROJECT
from local.ports import reserve_port
from local.sample_files import SAMPLES
from local.system import System
from local.tabs import DATASET
from local.up import write_exports
from tests.deploy.serving import served
from tests.e2e.conftest import Team
from tests.guide.blocks import read_blocks
from tests.guide.reader import Reader


@pytest.fixture
def inventory(team: Team, system: System) -> str:
    """The sample's config, loaded once, as a running system has it: its name, which is this test's alone."""
    name = team.unique("inventory")
    (system.samples / f"{name}.xlsx").write_bytes((SAMPLES / "inventory.xlsx").read_bytes())
    config_id = team.add_config(name, bigquery_dataset_id=DATASET)
    team.dispatch(config_names=[name])
    team.wait_for_runs(config_id)
    return name


@pytest.fixture
def reader(inventory: str, system: System, tmp_path: Path) -> Iterator[Reader]:
    """Somebody in a clone beside whom `make up` runs."""
    words = {"inventory": inventory, "local-project": PROJECT, "8080": str(reserve_port())}
    with served(tmp_path / "cloud") as cloud:
        reader = Reader(tmp_path, system, words, cloud)
        (reader.folder / "build").mkdir()
        write_exports(reader.folder / "build" / "local.env", system.settings)
        yield reader
        reader.leave()


def test_every_block_works_in_its_order(reader: Reader, team: Team, inventory: str) -> None:
    [[config_id]] = team.clients.postgres.run(
        "SELECT id FROM sheet_to_bigquery_configs WHERE name = :name", name=inventory
    )
    reader.follow_all(read_blocks("README.md"))
    # By the clock, by gcloud, and by curl to the function that runs alone.
    runs = team.wait_for_runs(config_id, count=3)
    assert [run.state for run in runs] == ["succeeded"] * 3
