"""The whole system: started together, beside another, a part of it lost and restored, and nothing left of it."""

import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.clients import LocalClients
from local.component import ComponentFailed
from local.ports import direct
from local.sample_files import copy_samples
from local.scheduler import call
from local.system import COMPONENTS, MIGRATING, REPOSITORY, System
from tests.local.system.processes import is_running, processes_of, wait_for


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A second system, for tests that break it."""
    folder = tmp_path_factory.mktemp("another system")
    samples = folder / "samples"
    copy_samples(samples)
    with System(folder, samples, settings={"MAX_RUNNING": "7"}) as running:
        yield running


def test_two_systems_run_beside_each_other(system: System, another: System) -> None:
    assert not set(system.addresses.values()) & set(another.addresses.values())
    name = "only_in_the_second"
    LocalClients(another.settings).bigquery.create_dataset(name)
    assert name in [dataset.dataset_id for dataset in LocalClients(another.settings).bigquery.list_datasets()]
    assert name not in [dataset.dataset_id for dataset in LocalClients(system.settings).bigquery.list_datasets()]


def test_every_component_runs_but_those_that_are_asked_for(another: System) -> None:
    assert set(another.processes) == set(COMPONENTS) - {"scheduler", "console", *MIGRATING}


def test_settings_reach_the_functions(another: System) -> None:
    assert another.environment["MAX_RUNNING"] == "7"
    told = Path(f"/proc/{another.processes['dispatch']}/environ").read_bytes().split(b"\0")
    assert b"MAX_RUNNING=7" in told


def test_components_know_nothing_of_who_started_them(another: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "somebodys-real-project")
    monkeypatch.setenv("google_cloud_hkdreporting", "a real key")
    assert another.environment["GOOGLE_CLOUD_PROJECT"] == "local-project"
    assert "google_cloud_hkdreporting" not in another.environment


def test_the_schema_is_applied(another: System) -> None:
    clients = LocalClients(another.settings)
    assert clients.postgres.run("SELECT count(*) FROM sheet_to_bigquery_runs") == [[0]]


def test_local_servers_refuse_requests_without_credentials(another: System) -> None:
    for name in ("bigquery", "sheets", "run"):
        url = f"{another.addresses[name]}/anything"
        with pytest.raises(urllib.error.HTTPError) as refused:
            direct.open(url, timeout=10)
        assert refused.value.code == 401


def test_a_killed_component_is_missed_and_can_be_restored(another: System) -> None:
    another.kill("dispatch")
    with pytest.raises(OSError, match="refused"):
        call(another.addresses["dispatch"], "/sweep", another.key_file)
    another.start("dispatch")
    assert b"{" in call(another.addresses["dispatch"], "/sweep", another.key_file)


def test_a_restarted_emulator_has_its_topics_again(another: System) -> None:
    another.kill("pubsub")
    another.start("pubsub")
    url = f"{another.addresses['pubsub']}/v1/projects/local-project/subscriptions/sheet-to-bigquery-requests"
    with direct.open(url, timeout=10) as answer:
        assert answer.status == 200


def test_a_component_that_ends_on_its_own_is_reported(another: System) -> None:
    subprocess.run(["kill", "-9", str(another.processes["credentials"])], check=True)
    assert wait_for(lambda: "credentials" not in another.processes)
    with pytest.raises(ComponentFailed, match="credentials ended with exit code -9"):
        another.check_running()
    another.stop("credentials")
    another.start("credentials")
    another.check_running()


def test_a_system_that_cannot_start_leaves_nothing_running(tmp_path: Path) -> None:
    """No spreadsheets' folder: the Sheets server refuses to start, after others did."""
    with pytest.raises(ComponentFailed, match="sheets ended"), System(tmp_path, tmp_path / "missing"):
        pytest.fail("it started")
    assert wait_for(lambda: not processes_of(tmp_path))


def test_a_system_ends_with_all_its_processes(tmp_path: Path) -> None:
    samples = tmp_path / "samples"
    copy_samples(samples)
    with System(tmp_path, samples) as running:
        started = processes_of(tmp_path)
        assert set(running.processes.values()) <= started
    assert not [pid for pid in started if is_running(pid)]


def test_commands_of_the_product_run_in_its_environment(another: System) -> None:
    command = [sys.executable, "-m", "sql", "status"]
    result = subprocess.run(command, cwd=REPOSITORY, env=dict(another.environment), check=True, capture_output=True)
    assert result.stdout
