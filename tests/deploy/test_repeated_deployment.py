"""deploy.sh once more: nothing changes but what differs, and what people added stays."""

from typing import Any

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import HOST, PROJECT, deploy

TOPICS = ["sheet-to-bigquery-completions", "sheet-to-bigquery-dead-letters", "sheet-to-bigquery-requests"]


def test_deploying_again_changes_nothing(deployed: Cloud) -> None:
    done = deploy(deployed, *HOST)
    assert done.returncode == 0, done.stderr
    assert deployed.changes() == []
    assert "Nothing to change" in done.stderr


@pytest.mark.parametrize(
    ("kind", "name", "path", "value", "command"),
    [
        ("pubsub subscriptions", TOPICS[2], ["ackDeadlineSeconds"], 10, "pubsub subscriptions update"),
        ("pubsub subscriptions", TOPICS[1], ["expirationPolicy"], {"ttl": "2678400s"}, "pubsub subscriptions update"),
        ("functions", "sheettobigquery-launch", ["serviceConfig", "ingressSettings"], "ALLOW_ALL", "functions deploy"),
        ("functions", "sheettobigquery-launch", ["serviceConfig", "maxInstanceCount"], 100, "functions deploy"),
        ("functions", "sheettobigquery-complete", ["state"], "FAILED", "functions deploy"),
        ("scheduler jobs", "orchestrator-schedule", ["schedule"], "0 9 * * *", "scheduler jobs update http"),
        ("logging metrics", "sheet_to_bigquery_job_failure", ["filter"], "x", "logging metrics update"),
        ("logging sinks", "sheet-to-bigquery-executions", ["filter"], "x", "logging sinks update"),
    ],
)
def test_what_somebody_changed_is_put_right_and_nothing_else_is_touched(
    deployed: Cloud, finished: dict[str, Any], kind: str, name: str, path: list[str], value: Any, command: str
) -> None:
    state = deployed.state
    *way, last = path
    place = state["resources"][kind][name]
    for step in way:
        place = place[step]
    place[last] = value
    deployed.write(state)
    done = deploy(deployed, *HOST)
    assert done.returncode == 0, done.stderr
    assert [" ".join(change[1:]).startswith(f"{command} {name}") for change in deployed.changes()] == [True]
    assert deployed.state == {key: each for key, each in finished.items() if key != "changes"}


def test_what_does_not_touch_the_database_needs_no_settings_of_it(deployed: Cloud) -> None:
    for command in ("pause", "resume", "schedule", "monitoring", "job"):
        done = deploy(deployed, command, POSTGRES_PASSWORD="")
        assert done.returncode == 0, (command, done.stderr)
    assert [change[3] for change in deployed.changes()] == ["pause", "pause", "resume", "resume"]
    assert deploy(deployed, "destroy", "--yes", POSTGRES_PASSWORD="").returncode == 0
    assert deployed.resources("functions") == {}


def test_a_setting_that_changes_changes_only_what_has_it(deployed: Cloud) -> None:
    done = deploy(deployed, *HOST, "--max-running=7")
    assert done.returncode == 0, done.stderr
    assert [change[1:3] for change in deployed.changes()] == [["functions", "deploy"]] * 4


def test_a_paused_schedule_stays_paused_until_it_is_resumed(deployed: Cloud) -> None:
    assert deploy(deployed, *HOST, "pause").returncode == 0
    assert {each["state"] for each in deployed.resources("scheduler jobs").values()} == {"PAUSED"}
    deployed.forget_calls()
    deploy(deployed, *HOST, "pause")
    deploy(deployed, *HOST)
    assert deployed.changes() == []
    assert deploy(deployed, *HOST, "resume").returncode == 0
    assert {each["state"] for each in deployed.resources("scheduler jobs").values()} == {"ENABLED"}


def test_the_parts_one_after_the_other_change_nothing_in_what_the_whole_made(deployed: Cloud) -> None:
    for part in ("database", "job", "functions", "schedule", "monitoring"):
        done = deploy(deployed, *HOST, part)
        assert done.returncode == 0, (part, done.stderr)
    assert deployed.changes() == []


def test_channels_that_people_added_to_an_alert_stay_and_new_ones_come(deployed: Cloud) -> None:
    state = deployed.state
    [name] = [
        key for key, each in state["resources"]["monitoring policies"].items() if "Failures" in each["displayName"]
    ]
    own = f"projects/{PROJECT}/notificationChannels/own"
    state["resources"]["monitoring channels"] = {own: {"name": own, "displayName": "mine", "type": "sms", "labels": {}}}
    state["resources"]["monitoring policies"][name]["notificationChannels"] = [own]
    deployed.write(state)
    for _ in range(2):
        done = deploy(deployed, *HOST, "monitoring", "--alert-email=team@example.com")
        assert done.returncode == 0, done.stderr
    [email] = [key for key in deployed.resources("monitoring channels") if key != own]
    assert deployed.resources("monitoring policies")[name]["notificationChannels"] == [own, email]
