"""What deploy.sh sees before its first change: it then changes nothing, and says what to do."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import CLOUD_SQL, HOST, PLACE, PROJECT, REPOSITORY, deploy

SERVICE = {"metadata": {"name": "x"}, "status": {"url": "https://x.example"}}


@pytest.mark.parametrize("function", ["orchestrator", "launch", "complete", "console"])
def test_a_service_that_is_no_function_is_not_overwritten(cloud: Cloud, function: str) -> None:
    name = f"sheettobigquery-{function}"
    state = cloud.state
    state["apis"] = ["run.googleapis.com"]
    state["resources"]["run services"] = {name: {**SERVICE, "metadata": {"name": name}}}
    cloud.write(state)
    for words in ([], ["functions"]):
        done = deploy(cloud, *HOST, *words)
        assert done.returncode == 2
        assert f"{name}: a Cloud Run service of that name is there that is no function" in done.stderr
    assert cloud.changes() == []


def test_an_instance_that_takes_no_logins_by_iam_is_seen_before_anything_changes(cloud: Cloud) -> None:
    state = cloud.state
    state["apis"] = ["sqladmin.googleapis.com"]
    state["resources"]["sql instances"] = {"syncs": {"name": "syncs", "settings": {"databaseFlags": []}}}
    cloud.write(state)
    done = deploy(cloud, *CLOUD_SQL)
    assert done.returncode == 2
    assert "cloudsql.iam_authentication=on" in done.stderr
    assert cloud.changes() == []


def test_an_instance_that_is_not_there_is_seen_before_anything_changes(cloud: Cloud) -> None:
    cloud.write(cloud.state | {"apis": ["sqladmin.googleapis.com"]})
    done = deploy(cloud, *CLOUD_SQL)
    assert done.returncode == 2
    assert "has no instance syncs" in done.stderr
    assert cloud.changes() == []


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("--max-running=many", "MAX_RUNNING"),
        ("--sheets-reads-per-minute=0", "SHEETS_READS_PER_MINUTE"),
        ("--notify-success=perhaps", "NOTIFY_SUCCESS"),
        ("--runs-kept-days=1", "RUNS_KEPT_DAYS"),
        ("--configs-table=.x", "CONFIGS_TABLE"),
    ],
)
def test_settings_of_the_product_are_judged_by_its_own_parser(cloud: Cloud, setting: str, said: str) -> None:
    done = deploy(cloud, *HOST, setting)
    assert done.returncode == 2
    assert said in done.stderr
    assert cloud.changes() == []


@pytest.fixture
def elsewhere(tmp_path: Path, cloud: Cloud) -> str:
    """A copy of the sources beside which no virtual environment is, and a Python that has no packages."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("deploy", "functions", "shared", "sql", "job", "console"):
        shutil.copytree(REPOSITORY / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("deploy.sh", "requirements.txt", "main.py"):
        shutil.copy(REPOSITORY / name, copy)
    (cloud.bin / "python3").write_text('#!/bin/bash\nexec /usr/bin/python3 -IS "$@"\n')
    (cloud.bin / "python3").chmod(0o755)
    return str(copy / "deploy.sh")


@pytest.mark.parametrize(("words", "code"), [([], 2), (["database"], 2), (["verify"], 2)])
def test_a_python_without_the_packages_is_seen_before_anything_changes(
    cloud: Cloud, elsewhere: str, words: list[str], code: int
) -> None:
    database = [*HOST[:3], "--migrate=yes"]
    done = subprocess.run(
        [elsewhere, *PLACE, *database, *words],
        env=cloud.environment | {"POSTGRES_PASSWORD": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert "pip install -r requirements.txt" in done.stderr
    assert cloud.changes() == []


def test_a_canary_is_sent_only_through_what_is_deployed(cloud: Cloud) -> None:
    done = deploy(cloud, *HOST, "verify")
    assert done.returncode == 2
    assert "there is no job sheettobigquery-job" in done.stderr
    done = deploy(cloud, *HOST, "verify", "--sheet=https://docs.google.com/spreadsheets/d/a/edit")
    assert done.returncode == 2
    assert "--datasets=project.dataset" in done.stderr
    assert cloud.changes() == []
    assert PROJECT not in cloud.resources("datasets")
