"""deploy.sh destroy: what it made is gone, and nothing else."""

from typing import Any

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import HOST, PROJECT, deploy, granted


def test_destroy_leaves_what_was_there_before(deployed: Cloud) -> None:
    done = deploy(deployed, *HOST, "destroy", "--yes")
    assert done.returncode == 0, done.stderr
    state = deployed.state
    left = {kind: sorted(each) for kind, each in state["resources"].items() if each and kind != "iam roles"}
    assert left == {}
    # A deleted role can come back for a week.
    assert all(each["deleted"] for each in state["resources"]["iam roles"].values())
    assert granted(state) == {"user:owner@example.com": {f"projects/{PROJECT}": {"owner"}}}
    deployed.forget_calls()
    assert deploy(deployed, *HOST, "destroy", "--yes").returncode == 0
    assert deployed.changes() == []


def test_what_somebody_else_made_is_never_destroyed(deployed: Cloud) -> None:
    state = deployed.state
    resources = state["resources"]
    resources["secrets"]["postgres-password"]["labels"] = {}
    resources["pubsub topics"]["sheet-to-bigquery-requests"]["labels"] = {"team": "portal"}
    resources["pubsub topics"]["another"] = {"name": f"projects/{PROJECT}/topics/another", "labels": {}}
    resources["logging metrics"]["sheet_to_bigquery_job_success"]["description"] = "Successful executions"
    resources["scheduler jobs"]["orchestrator-schedule"]["description"] = "by hand"
    resources["datasets"] = {f"{PROJECT}:sales": {"id": "sales", "access": []}}
    deployed.write(state)
    done = deploy(deployed, *HOST, "destroy", "--yes", f"--datasets={PROJECT}.sales")
    assert done.returncode == 0, done.stderr
    left = {kind: sorted(each) for kind, each in deployed.state["resources"].items() if each and kind != "iam roles"}
    assert left == {
        "datasets": [f"{PROJECT}:sales"],
        "secrets": ["postgres-password"],
        "secrets versions": ["postgres-password"],
        "pubsub topics": ["another", "sheet-to-bigquery-requests"],
        "logging metrics": ["sheet_to_bigquery_job_success"],
        "scheduler jobs": ["orchestrator-schedule"],
    }
    assert "orchestrator-schedule stays" in done.stderr


def test_a_schedule_of_somebody_else_is_corrected_but_not_destroyed(deployed: Cloud) -> None:
    state = deployed.state
    state["resources"]["scheduler jobs"]["orchestrator-schedule"] |= {"description": "by hand", "schedule": "0 0 * * *"}
    deployed.write(state)
    assert deploy(deployed, *HOST, "schedule").returncode == 0
    assert deployed.state["resources"]["scheduler jobs"]["orchestrator-schedule"]["schedule"] == "*/5 * * * *"
    done = deploy(deployed, *HOST, "destroy", "--yes")
    assert done.returncode == 0, done.stderr
    assert list(deployed.state["resources"]["scheduler jobs"]) == ["orchestrator-schedule"]


def test_a_destroyed_deployment_can_be_made_again(deployed: Cloud, finished: dict[str, Any]) -> None:
    assert deploy(deployed, *HOST, "destroy", "--yes").returncode == 0
    done = deploy(deployed, *HOST)
    assert done.returncode == 0, done.stderr
    assert deployed.state == {key: each for key, each in finished.items() if key != "changes"}


def test_nothing_is_destroyed_without_saying_so(deployed: Cloud) -> None:
    done = deploy(deployed, *HOST, "destroy")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert deployed.changes() == []
