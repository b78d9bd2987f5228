"""deploy.sh destroy: what it made is gone, and nothing else."""

from typing import Any

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import CLOUD_SQL, HOST, PROJECT, deploy, granted


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
    # What stays lets nobody of ours in any more.
    assert granted(deployed.state) == {"user:owner@example.com": {f"projects/{PROJECT}": {"owner"}}}


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


def test_what_was_granted_is_taken_back_without_the_flags_that_granted_it(deployed: Cloud) -> None:
    """Datasets, secrets of others, users of an instance, and channels: none is deleted with the deployment."""
    before = deployed.state
    before["apis"] = sorted([*before["apis"], "sqladmin.googleapis.com"])
    resources = before["resources"]
    resources["datasets"] = {
        f"{PROJECT}:{name}": {"id": name, "location": place, "access": []}
        for name, place in (("sales", "EU"), ("stock", "US"))
    }
    flags = [{"name": "cloudsql.iam_authentication", "value": "on"}]
    resources["sql instances"] = {"syncs": {"name": "syncs", "settings": {"databaseFlags": flags}}}
    deployed.write(before)
    deployed.add_secrets("slack-token")
    assert deploy(deployed, *HOST, f"--datasets={PROJECT}.sales").returncode == 0
    more = ["--slack-secret=slack-token", f"--datasets={PROJECT}.stock", "--alert-email=team@example.com"]
    done = deploy(deployed, *CLOUD_SQL, *more, "--executions-grant=project")
    assert done.returncode == 0, done.stderr
    assert [len(each["access"]) for each in deployed.resources("datasets").values()] == [2, 2]
    done = deploy(deployed, "destroy", "--yes")
    assert done.returncode == 0, done.stderr
    state = deployed.state
    assert granted(state) == {"user:owner@example.com": {f"projects/{PROJECT}": {"owner"}}}
    assert [each["access"] for each in deployed.resources("datasets").values()] == [[], []]
    assert deployed.resources("sql users") == {}
    assert deployed.resources("monitoring channels") == {}
    left = {kind for kind, each in state["resources"].items() if each}
    assert left == {"datasets", "secrets", "secrets versions", "sql instances", "sql databases", "iam roles"}


def test_a_destruction_that_was_cut_off_still_knows_what_was_granted(deployed: Cloud) -> None:
    state = deployed.state
    state["resources"]["datasets"] = {f"{PROJECT}:sales": {"id": "sales", "location": "EU", "access": []}}
    deployed.write(state)
    assert deploy(deployed, *HOST, f"--datasets={PROJECT}.sales").returncode == 0
    for after in (8, 11, 14):
        deployed.cut_power(after)
        assert deploy(deployed, "destroy", "--yes").returncode == 1
    deployed.restore_power()
    done = deploy(deployed, "destroy", "--yes")
    assert done.returncode == 0, done.stderr
    assert granted(deployed.state) == {"user:owner@example.com": {f"projects/{PROJECT}": {"owner"}}}
    assert deployed.resources("datasets")[f"{PROJECT}:sales"]["access"] == []


def test_a_user_that_postgresql_keeps_is_told_with_the_way_out(deployed: Cloud) -> None:
    state = deployed.state
    state["apis"] = sorted([*state["apis"], "sqladmin.googleapis.com"])
    flags = [{"name": "cloudsql.iam_authentication", "value": "on"}]
    state["resources"]["sql instances"] = {"syncs": {"name": "syncs", "settings": {"databaseFlags": flags}}}
    deployed.write(state)
    assert deploy(deployed, *CLOUD_SQL).returncode == 0
    deployed.write(deployed.state | {"users_with_rights": True})
    done = deploy(deployed, "destroy", "--yes")
    assert done.returncode == 0, done.stderr
    assert len(deployed.resources("sql users")) == 4
    assert f"python -m sql revoke sheettobigquery-console@{PROJECT}.iam" in done.stderr
    assert deployed.resources("iam service-accounts") == {}


def test_a_metric_of_somebody_else_gets_our_filter_and_is_not_destroyed(cloud: Cloud) -> None:
    """The guide has people make its two metrics by hand, with filters of several lines."""
    by_hand = {"name": "sheet_to_bigquery_job_success", "filter": 'a="b"\nAND c="d"', "description": "Ours"}
    state = cloud.state
    state["apis"] = ["logging.googleapis.com", "monitoring.googleapis.com"]
    state["resources"]["logging metrics"] = {by_hand["name"]: by_hand}
    cloud.write(state)
    for _ in range(2):
        cloud.forget_calls()
        done = deploy(cloud, "monitoring")
        assert done.returncode == 0, done.stderr
    assert cloud.changes() == []
    kept = cloud.resources("logging metrics")[by_hand["name"]]
    assert kept["description"] == "Ours"
    assert "Job completed successfully" in kept["filter"]
    assert deploy(cloud, "destroy", "--yes").returncode == 0
    assert list(cloud.resources("logging metrics")) == [by_hand["name"]]
