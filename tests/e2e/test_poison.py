"""A message that nobody could understand, from the topic to a person's decision on it, on the running system."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from local.system import REPOSITORY
from tests.e2e.conftest import Team

ROWS = [["id", "amount"], [1, 2.5]]


def poison(team: Team, folder: Path, *arguments: str) -> str:
    command = [sys.executable, str(REPOSITORY / "job_helper.py"), "poison", *arguments]
    done = subprocess.run(
        command,
        env={**team.system.environment, "PATH": os.environ["PATH"]},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_a_message_about_a_config_to_come_is_published_again_once_that_is_there(team: Team, tmp_path: Path) -> None:
    name = team.unique("later")
    message_id = team.publish({"name": name})
    deadline = time.monotonic() + 20
    while message_id not in poison(team, tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    [kept] = json.loads(poison(team, tmp_path, "show", message_id, "--json"))
    assert (json.loads(kept["body"]), f'no config named "{name}"' in kept["reason"]) == ({"name": name}, True)
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, run_frequency_hours=0)
    poison(team, tmp_path, "retry", message_id)
    assert [run.state for run in team.wait_for_runs(config_id)] == ["succeeded"]
    assert message_id not in poison(team, tmp_path)
    [kept] = json.loads(poison(team, tmp_path, "show", message_id, "--json"))
    assert kept["verdict"] == "retried"
