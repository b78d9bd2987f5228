"""`deploy.sh verify` sends a canary through a whole system: with Google's commands played, and all else real."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.environment import JOB, PROJECT
from local.ports import HOST
from local.postgres import DATABASE, USER
from local.pubsub import REQUESTS
from tests.deploy.cloud import Cloud
from tests.deploy.deployment import REPOSITORY, deploy
from tests.deploy.serving import served
from tests.deploy.tls import switch_tls_on
from tests.e2e.conftest import DATASET, Team

ENTRY = {"logName": f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Fsystem_event", "insertId": "kept"}


@pytest.fixture
def cloud(tmp_path: Path, team: Team) -> Iterator[Cloud]:
    """The local system's project, as gcloud sees it; its PostgreSQL takes TLS from here on."""
    port, password = int(team.system.settings["POSTGRES_PORT"]), team.system.settings["POSTGRES_PASSWORD"]
    switch_tls_on(team.system.folder / "postgres" / "data", port, password)
    with served(tmp_path / "cloud", project=PROJECT) as cloud:
        cloud.write(deployed(cloud.state))
        yield cloud


def deployed(state: dict[str, Any]) -> dict[str, Any]:
    """With what verify looks for in Google's own parts, which the local system does not have."""
    identities = [f"sheettobigquery-{name}@{PROJECT}.iam.gserviceaccount.com" for name in ("dispatch", "complete")]
    role = f"projects/{PROJECT}/roles/sheettobigquery.executions"
    binding = {"role": role, "members": [f"serviceAccount:{each}" for each in identities]}
    state["resources"] |= {
        "run jobs": {JOB: {"metadata": {"name": JOB}}},
        "pubsub subscriptions": {REQUESTS: {"name": f"projects/{PROJECT}/subscriptions/{REQUESTS}"}},
    }
    state["policies"][f"run jobs/{JOB}"] = [binding]
    apis = [f"{name}.googleapis.com" for name in ("logging", "pubsub", "run")]
    return state | {"apis": apis, "log": [ENTRY], "impersonated": identities}


def verify(cloud: Cloud, team: Team, *arguments: str):
    settings = team.system.settings
    place = [f"--postgres-host={HOST}", f"--postgres-port={settings['POSTGRES_PORT']}", f"--postgres-db={DATABASE}"]
    place += [f"--postgres-user={USER}", f"--project={PROJECT}", f"--datasets={PROJECT}.{DATASET}", "verify"]
    return deploy(cloud, *place, *arguments, **{**settings, "HOME": str(cloud.folder)})


def test_a_canary_runs_and_what_logging_told_of_its_end_is_kept(team: Team, cloud: Cloud) -> None:
    sheet = team.unique("canary")
    team.write_sheet(sheet, [("id", "amount"), (1, 2.5)])
    kept = REPOSITORY / "build" / "execution-ended"
    before = set(kept.glob("*.json"))
    done = verify(cloud, team, f"--sheet=https://docs.google.com/spreadsheets/d/{sheet}/edit")
    assert done.returncode == 0, done.stderr
    assert team.table("sheet_to_bigquery_canary") == [{"id": 1, "amount": 2.5}]
    [file] = set(kept.glob("*.json")) - before
    assert json.loads(file.read_text()) == [ENTRY]
    assert done.stderr.count("may list, see and end executions") == 2
    file.unlink()
    # A second time the config is there; a sheet that is not to be read is told.
    (team.system.samples / f"{sheet}.xlsx").unlink()
    done = verify(cloud, team)
    assert done.returncode == 1
    assert "spreadsheet" in done.stderr
