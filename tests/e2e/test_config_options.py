"""A config's options from the database's column to the table, and what the ledger keeps of what they led to."""

import json
import subprocess
import sys
from typing import Any

import pytest

from local.system import REPOSITORY
from tests.e2e.conftest import Team

ROWS = [["sku", "pieces"], ["A", 1], ["B", 2], ["C", 3], ["D", 4]]


def helper(team: Team, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "job_helper.py", *arguments],
        env=team.system.environment,
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def kept(team: Team, config_id: int) -> list[dict[str, Any]]:
    """What the ledger has of the config's runs, oldest first."""
    statement = "SELECT to_jsonb(r) FROM sheet_to_bigquery_runs r WHERE config_id = :id ORDER BY created_at"
    return [row for (row,) in team.clients.postgres.run(statement, id=config_id)]


def run_again(team: Team, config_id: int, **request: Any) -> dict[str, Any]:
    before = len(team.runs(config_id))
    team.publish({"config_id": config_id, **request})
    team.wait_for_runs(config_id, count=before + 1)
    return kept(team, config_id)[-1]


def test_an_unchanged_sheet_is_a_run_that_moves_last_run_and_loads_nothing(team: Team) -> None:
    name = team.unique("unchanged")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, run_frequency_hours=0, options=json.dumps({"skip_unchanged": True}))
    first = run_again(team, config_id)
    moved = team.last_run(config_id)
    second = run_again(team, config_id)
    assert [(run["state"], run["verdict"], run["rows"]) for run in (first, second)] == [
        ("succeeded", "loaded", 4),
        ("succeeded", "unchanged", 4),
    ]
    assert first["content_hash"] == second["content_hash"]
    assert (second["bytes"], len(second["columns"])) == (0, 2)
    assert team.last_run(config_id) > moved
    team.write_sheet(name, [*ROWS, ["E", 5]])
    assert run_again(team, config_id)["verdict"] == "loaded"
    assert "succeeded, unchanged" in helper(team, "runs").stdout


def test_a_shrunken_sheet_is_loaded_once_a_person_allows_it(team: Team) -> None:
    name = team.unique("shrunken")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, run_frequency_hours=0, options='{"max_shrink": 0.5}')
    run_again(team, config_id)
    team.write_sheet(name, ROWS[:2])
    refused = run_again(team, config_id)
    assert (refused["state"], refused["error_class"]) == ("failed", "SheetShrank")
    planned = helper(team, "plan", name)
    assert planned.returncode == 1
    assert "a run would fail: SheetShrank: " in planned.stderr
    allowed = helper(team, "run", name, "--allow-shrink")
    assert allowed.returncode == 0, allowed.stderr
    assert len(team.table(name)) == 1
    assert [run["allow_shrink"] for run in kept(team, config_id)] == [False, False, True]


def test_the_ledger_keeps_how_the_columns_changed(team: Team) -> None:
    name = team.unique("changed")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, run_frequency_hours=0)
    assert run_again(team, config_id)["schema_changes"] == []
    team.write_sheet(name, [["sku", "pieces", "sold"], ["A", 1.5, True]])
    assert run_again(team, config_id)["schema_changes"] == [
        {"name": "pieces", "before": "INT64 NULLABLE", "after": "FLOAT64 NULLABLE"},
        {"name": "sold", "before": None, "after": "BOOL NULLABLE"},
    ]
    assert "column ~ pieces INT64 NULLABLE → FLOAT64 NULLABLE" in helper(team, "runs").stdout


def test_wrong_options_fail_their_own_run_and_say_which(team: Team) -> None:
    name = team.unique("mistyped")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, run_frequency_hours=0, options='{"header_rows": 2, "max_shrink": 7}')
    run = run_again(team, config_id)
    assert (run["state"], run["error_class"], run["attempt"]) == ("failed", "InvalidConfig", 0)
    assert "options: header_rows is none of range, header_row," in run["error"]
    assert "options: max_shrink is a number, not a number from 0, below 1" in run["error"]


@pytest.mark.parametrize(
    ("options", "effect", "rows"),
    [
        ({"load_mode": "append"}, "appends to it", (4, 8)),
        ({"load_mode": "merge", "merge_keys": ["sku"]}, "merges into it", (4, None)),
        ({}, "replaces it", (4, 4)),
    ],
)
def test_a_plan_tells_what_the_mode_does(options: dict[str, Any], effect: str, rows: Any, team: Team) -> None:
    name = team.unique("planned")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, run_frequency_hours=0, options=json.dumps(options))
    run_again(team, config_id)
    change = json.loads(helper(team, "plan", name, "--json").stdout)["change"]
    assert (change["effect"], (change["rows"], change["after"])) == (effect, rows)


def test_a_plan_tells_what_the_guards_would_stop(team: Team) -> None:
    name = team.unique("guarded")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, run_frequency_hours=0, options='{"schema_drift": "keep", "on_empty": "keep"}')
    run_again(team, config_id)
    team.write_sheet(name, [["sku", "new"], ["A", 1]])
    told = helper(team, "plan", name).stdout
    assert "not loaded, since the table has no such column: the tab's column B" in told
    team.write_sheet(name, ROWS[:1])
    assert "a run leaves it as it is, rows 4 → 4" in helper(team, "plan", name).stdout
