"""`migrate.py rollback --all`: the marks first, then the schedule and the traffic, whatever becomes of those."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.cloud import Cloud
from tests.integration.migrate.conftest import PROJECT, Done, Migrate

SERVICE = "service-sheettobigquery"


@pytest.fixture
def google(tmp_path: Path) -> Cloud:
    """A played project with the older service, whose newest revision gets half of the traffic, and both schedules."""
    cloud = Cloud(tmp_path / "google", PROJECT)
    state = cloud.state
    state["apis"] = ["run.googleapis.com", "cloudscheduler.googleapis.com"]
    traffic = [
        {"latestRevision": True, "revisionName": f"{SERVICE}-2", "percent": 50},
        {"revisionName": f"{SERVICE}-1", "percent": 50},
    ]
    state["resources"]["run services"] = {SERVICE: {"metadata": {"name": SERVICE}, "status": {"traffic": traffic}}}
    state["resources"]["scheduler jobs"] = {
        name: {"name": f"projects/{PROJECT}/locations/us-central1/jobs/{name}", "state": "ENABLED"}
        for name in ("orchestrator-schedule", "sweep-schedule")
    }
    cloud.write(state)
    return cloud


@pytest.fixture
def rollback(migrate: Migrate, google: Cloud) -> Callable[..., Done]:
    """Rolls everything back, with the played project's gcloud."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return migrate("rollback", "--all", *arguments, **google.environment, **options)

    return run


def schedules(google: Cloud) -> set[str]:
    return {job["state"] for job in google.resources("scheduler jobs").values()}


def test_the_schedule_is_paused_and_the_service_gets_its_traffic_back(rollback, google, team) -> None:
    team.config("sales", "job_ready")
    done = rollback("--json")
    assert done.returncode == 0, done.stderr
    assert team.owners() == {"sales": "service"}
    assert schedules(google) == {"PAUSED"}
    assert [step["done"] for step in json.loads(done.stdout)["cloud"]] == [True, True]
    assert google.changes()[-1][:6] == ["gcloud", "run", "services", "update-traffic", SERVICE, "--to-latest"]


def test_what_the_cloud_refuses_undoes_no_mark_and_keeps_the_rest_from_nothing(rollback, google, team) -> None:
    team.config("sales", "job_ready")
    google.refuse_once("PERMISSION_DENIED: you may not pause this")
    done = rollback()
    assert done.returncode == 1
    assert "could not pause the schedule; the marks stand" in done.stderr
    assert "you may not pause this" in done.stderr
    assert team.owners() == {"sales": "service"}
    assert google.changes()[-1][3] == "update-traffic"


def test_where_there_is_no_gcloud_the_marks_stand_and_the_commands_are_told(migrate, team) -> None:
    team.config("sales", "job_ready")
    done = migrate("rollback", "--all", PATH="/nowhere")
    assert done.returncode == 1
    assert "service-traffic 100" in done.stderr
    assert team.owners() == {"sales": "service"}


def test_names_of_its_own_come_from_deploys_env_file(rollback, google, team, tmp_path: Path) -> None:
    team.config("sales", "job_ready")
    state = google.state
    state["resources"]["run services"] = {"older": state["resources"]["run services"].pop(SERVICE)}
    state["resources"]["run services"]["older"]["metadata"]["name"] = "older"
    google.write(state)
    (tmp_path / "env.yaml").write_text("SERVICE: 'older'\n")
    done = rollback("--env-file", "env.yaml")
    assert done.returncode == 0, done.stderr
    assert google.changes()[-1][4] == "older"


def test_doing_it_again_finds_all_done(rollback, google, team) -> None:
    team.config("sales", "job_ready")
    rollback()
    google.forget_calls()
    done = rollback()
    assert (done.returncode, "every config is the service's already" in done.stdout) == (0, True)
    assert google.changes() == []


def test_a_dry_run_tells_the_commands_and_takes_none(rollback, google, team) -> None:
    team.config("sales", "job_ready")
    done = rollback("--dry-run")
    assert (done.returncode, "would pause the schedule:" in done.stdout) == (0, True)
    assert (team.owners(), google.changes()) == ({"sales": "job_ready"}, [])


def test_whoever_is_killed_before_the_cloud_calls_it_again(rollback, google, team) -> None:
    team.config("sales", "job_ready")
    rollback(die_at="migrate.before_cloud")
    assert (team.owners(), schedules(google)) == ({"sales": "service"}, {"ENABLED"})
    assert rollback().returncode == 0
    assert schedules(google) == {"PAUSED"}
