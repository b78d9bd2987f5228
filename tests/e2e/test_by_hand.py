"""Runs by hand: anybody who may publish to the request topic runs what is configured, once a message."""

import base64
import json
import time
import urllib.request
from typing import Any

import pytest

from local.ports import direct
from local.system import System
from tests.e2e.conftest import Team

ROWS = [["id", "amount"], [1, 2.5], [2, 3.5]]


@pytest.fixture
def manual_config(team: Team) -> tuple[int, str]:
    """A config that the schedule never runs: its id and its name."""
    name = team.unique("by_hand")
    team.write_sheet(name, ROWS)
    return team.add_config(name, run_frequency_hours=0), name


def push(system: System, message: Any, message_id: str) -> int:
    """What Pub/Sub's push does; the status."""
    data = base64.b64encode(json.dumps(message).encode()).decode()
    body = {"subscription": "s", "message": {"data": data, "messageId": message_id, "attributes": {}}}
    request = urllib.request.Request(  # noqa: S310  (a loopback address)
        system.addresses["launch"] + "/projects/local-project/topics/requests",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with direct.open(request, timeout=30) as answer:
        return int(answer.status)


def test_a_published_config_id_runs_that_config(team: Team, manual_config) -> None:
    config_id, name = manual_config
    team.publish({"config_id": config_id})
    [run] = team.wait_for_runs(config_id)
    assert (run.state, run.rows) == ("succeeded", 2)
    assert team.table(name) == [{"id": 1, "amount": 2.5}, {"id": 2, "amount": 3.5}]
    assert team.last_run(config_id) == run.slot


def test_a_published_name_runs_that_config(team: Team, manual_config) -> None:
    config_id, name = manual_config
    team.publish({"name": name})
    assert [run.state for run in team.wait_for_runs(config_id)] == ["succeeded"]


def test_the_older_services_full_message_runs_its_config(team: Team, manual_config) -> None:
    config_id, name = manual_config
    team.publish(
        {
            "id": config_id,
            "name": "an older name",
            "google_sheet_url": "https://docs.google.com/spreadsheets/d/forged_elsewhere/edit",
            "google_sheet_tab_name": None,
            "google_cloud_project_id": "another-project",
            "bigquery_dataset_id": "forged",
            "bigquery_table_id": "forged",
            "schema_handling": "auto_detect",
            "custom_schema": None,
        }
    )
    assert [run.state for run in team.wait_for_runs(config_id)] == ["succeeded"]
    assert len(team.table(name)) == 2  # what is configured, not what the message says


def test_a_redelivered_message_does_nothing(team: Team, system: System, manual_config) -> None:
    config_id, _name = manual_config
    message_id = team.unique("message")
    for _ in range(3):
        assert push(system, {"config_id": config_id}, message_id) == 200
    team.wait_for_runs(config_id)
    assert push(system, {"config_id": config_id}, message_id) == 200
    assert len(team.runs(config_id)) == 1


def test_an_edit_during_an_open_run_is_loaded_by_one_follow_up(team: Team, manual_config) -> None:
    config_id, name = manual_config
    team.publish({"config_id": config_id})
    while not any(run.state in ("launching", "running") for run in team.runs(config_id)):
        assert not any(run.ended for run in team.runs(config_id)), "too fast for this test to see it run"
        time.sleep(0.01)
    team.write_sheet(name, [*ROWS, [3, 4.5]])
    for _ in range(3):
        team.publish({"config_id": config_id})
    runs = team.wait_for_runs(config_id, count=2)
    assert [run.state for run in runs] == ["succeeded"] * 2
    assert len(team.table(name)) == 3


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"config_id": 987654321}, "there is no config 987654321"),
        ({"name": "nobody of this name"}, "there is no config named"),
        (b"\xff\xfe not json", "is not JSON"),
        ([1, 2], "send a JSON object"),
        ({"hello": "world"}, "config_id is missing"),
    ],
    ids=["unknown id", "unknown name", "bytes", "a list", "an object of another kind"],
)
def test_what_nobody_can_run_is_kept_as_poison_with_its_reason(team: Team, message, reason: str) -> None:
    message_id = team.publish(message)
    deadline = time.monotonic() + 20
    rows: list[Any] = []
    while not rows and time.monotonic() < deadline:
        rows = team.clients.postgres.run(
            "SELECT verdict, reason FROM sheet_to_bigquery_messages WHERE message_id = :id", id=message_id
        )
        time.sleep(0.05)
    [[verdict, told]] = rows
    assert verdict == "poison"
    assert reason in told


def test_a_config_that_is_wrong_fails_its_own_run_and_says_what_to_change(team: Team, manual_config) -> None:
    wrong = team.add_config(team.unique("wrong"), run_frequency_hours=0, schema_handling="guess")
    config_id, _name = manual_config
    team.publish({"config_id": wrong})
    team.publish({"config_id": config_id})
    [failed] = team.wait_for_runs(wrong)
    assert failed.state == "failed"
    assert "schema_handling" in (failed.error or "")
    assert [run.state for run in team.wait_for_runs(config_id)] == ["succeeded"]


def test_an_emptied_sheet_fails_its_run_and_leaves_the_table(team: Team, manual_config) -> None:
    config_id, name = manual_config
    team.publish({"config_id": config_id})
    team.wait_for_runs(config_id)
    before = team.last_run(config_id)
    team.write_sheet(name, ROWS[:1])
    team.publish({"config_id": config_id})
    runs = team.wait_for_runs(config_id, count=2)
    assert [run.state for run in runs] == ["succeeded", "failed"]
    assert "no rows" in (runs[1].error or "")
    assert len(team.table(name)) == 2
    assert team.last_run(config_id) == before
