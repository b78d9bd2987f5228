"""A run ends as it should when no message says so: the sweep looks for itself."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.clients import LocalClients
from local.system import System
from tests.e2e.conftest import Team

ROWS = [["id"], [1], [2]]


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A system of its own, whose leases are short and whose complete function can be taken away."""
    folder: Path = tmp_path_factory.mktemp("impatient")
    (folder / "samples").mkdir()
    settings = {"LEASE_SECONDS": "2", "RETRY_SECONDS": "1"}
    with System(folder, folder / "samples", settings=settings) as system:
        yield Team(system, LocalClients(system.settings))


def sweep_until_ended(team: Team, config_id: int) -> list:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        team.sweep()
        runs = team.runs(config_id)
        if runs and all(run.ended for run in runs):
            return runs
        time.sleep(0.5)
    pytest.fail(f"not ended: {team.runs(config_id)}")


def test_without_any_completion_message_the_sweep_settles(impatient: Team) -> None:
    name = impatient.unique("unheard")
    impatient.write_sheet(name, ROWS)
    config_id = impatient.add_config(name)
    impatient.system.kill("complete")
    try:
        impatient.dispatch(config_names=[name])
        [run] = sweep_until_ended(impatient, config_id)
    finally:
        impatient.system.start("complete")
    assert (run.state, run.rows, run.attempt) == ("succeeded", 2, 1)
    assert impatient.last_run(config_id) == run.slot


def test_without_the_launch_function_runs_wait_and_then_go(impatient: Team) -> None:
    name = impatient.unique("unlaunched")
    impatient.write_sheet(name, ROWS)
    config_id = impatient.add_config(name)
    impatient.system.kill("launch")
    impatient.dispatch(config_names=[name])
    time.sleep(1)
    assert [run.state for run in impatient.runs(config_id)] == ["queued"]
    impatient.system.start("launch")
    assert [run.state for run in impatient.wait_for_runs(config_id)] == ["succeeded"]


def test_a_job_that_is_killed_is_tried_again_and_loads_once(impatient: Team) -> None:
    name = impatient.unique("killed")
    impatient.write_sheet(name, [["id", "text"], *([index, "x" * 50] for index in range(20_000))])
    config_id = impatient.add_config(name)
    impatient.dispatch(config_names=[name])
    deadline = time.monotonic() + 30
    while not any(run.state == "running" for run in impatient.runs(config_id)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    impatient.system.kill("run")
    impatient.system.start("run")
    [run] = sweep_until_ended(impatient, config_id)
    assert run.state == "succeeded"
    assert len(impatient.table(name)) == 20_000
