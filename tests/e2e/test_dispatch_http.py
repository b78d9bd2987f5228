"""dispatch over HTTP: what it answers to whom."""

import json
import urllib.error
import urllib.request

import pytest

from local.ports import direct
from local.system import System
from tests.e2e.conftest import Team

ROWS = [["id"], [1]]


def ask(system: System, method: str, path: str, body: bytes = b"") -> tuple[int, dict]:
    request = urllib.request.Request(  # noqa: S310  (a loopback address)
        system.addresses["dispatch"] + path, data=body or None, method=method
    )
    try:
        with direct.open(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_it_tells_which_method_it_answers(system: System) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        direct.open(system.addresses["dispatch"] + "/run", timeout=30)
    assert (refused.value.code, refused.value.headers["Allow"]) == (405, "POST")
    refused.value.close()


def test_it_answers_at_once_what_was_done_and_why_not(team: Team) -> None:
    due, manual = team.unique("due"), team.unique("manual")
    team.write_sheet(due, ROWS)
    config_id = team.add_config(due)
    team.add_config(manual, run_frequency_hours=0)
    answer = team.dispatch(config_names=[due, manual, "nobody of this name"])
    assert answer["recorded"] == 1
    assert [(each["name"], each["why"], each["told"]) for each in answer["due"]] == [(due, "schedule", "run recorded")]
    assert {each["name"]: each["verdict"] for each in answer["skipped"]} == {
        manual: "manual_only",
        "nobody of this name": "unknown",
    }
    assert not team.wait_for_runs(config_id)[0].error


def test_a_dry_run_runs_nothing(team: Team) -> None:
    name = team.unique("dry")
    config_id = team.add_config(name)
    assert team.dispatch(config_names=[name], dry_run=True)["due"][0]["told"] == "would run"
    assert team.runs(config_id) == []


def test_the_root_path_dispatches_too(team: Team, system: System) -> None:
    name = team.unique("root")
    body = json.dumps({"config_names": [name], "dry_run": True}).encode()
    status, answer = ask(system, "POST", "/", body)
    assert (status, answer["skipped"][0]["name"]) == (200, name)


def test_sweep_answers_what_it_did(team: Team) -> None:
    assert {"admitted", "published_again"} <= team.sweep().keys()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("GET", "/run", b"", 405, "POST to /run"),
        ("POST", "/elsewhere", b"", 404, "/elsewhere is not answered"),
        ("POST", "/run", b"not json", 400, "is not JSON"),
        ("POST", "/run", b"[1]", 400, "a list of 1"),
        ("POST", "/run", b'{"max_parallel_jobs": 0, "dry_run": "perhaps"}', 400, "max_parallel_jobs"),
        ("POST", "/run", b'{"max_parallel_jobs": 0, "dry_run": "perhaps"}', 400, "dry_run"),
        ("POST", "/run", b'{"dryrun": true}', 400, "dryrun is none of dry_run, max_parallel_jobs, config_names"),
    ],
)
def test_what_it_cannot_understand_is_said(method, path, body, status, told, system: System) -> None:
    answered, answer = ask(system, method, path, body)
    assert answered == status
    assert told in answer["error"]["message"]
