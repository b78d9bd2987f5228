"""`job_helper.py configs` and `runs`: what the database holds, for people and for machines."""

import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from tests.integration.commands.conftest import REPOSITORY

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_empty_tables_are_told_as_such(helper) -> None:
    assert "no configs yet" in helper("configs").stdout
    assert "no runs yet" in helper("runs").stdout
    assert json.loads(helper("configs", "--json").stdout) == []
    assert json.loads(helper("--json", "runs").stdout) == []


def test_configs_tell_the_verdict_and_when_each_is_next_due(helper, sql, add_config) -> None:
    ((now,),) = sql("SELECT now()")
    add_config("due")
    add_config("done", last_run=now)
    add_config("by_hand", run_frequency_hours=0)
    add_config("asleep", is_active=False)
    found = {each["name"]: each for each in json.loads(helper("configs", "--json").stdout)}
    verdicts = {name: each["verdict"] for name, each in found.items()}
    assert verdicts == {"due": "due", "done": "not_due", "by_hand": "manual_only", "asleep": "paused"}
    assert (datetime.fromisoformat(found["done"]["next_due"]) - now).total_seconds() == 24 * 3600
    assert found["due"]["next_due"] is not None
    assert found["by_hand"]["next_due"] is None


def test_configs_are_asked_for_by_name_or_id(helper, sql, add_config) -> None:
    wanted, twin, other = add_config("sales"), add_config("twin"), add_config("other")
    sql("UPDATE sheet_to_bigquery_configs SET name = 'other' WHERE id = :id", id=twin)
    found = json.loads(helper("configs", "sales", str(other), "--json").stdout)
    assert [each["id"] for each in found] == [wanted, other]
    sql("ALTER TABLE sheet_to_bigquery_configs ALTER COLUMN name DROP NOT NULL")  # as a portal may have it
    sql("UPDATE sheet_to_bigquery_configs SET name = NULL WHERE id = :id", id=twin)
    assert [each["id"] for each in json.loads(helper("configs", str(twin), "--json").stdout)] == [twin]
    refused = helper("configs", "nobody", "--json")
    assert (refused.returncode, json.loads(refused.stdout)["error"]["class"]) == (2, "UnknownConfig")


@pytest.mark.parametrize(
    "arguments",
    [("--json", "nonsense"), ("show", "--json"), ("runs", "--limit", "0", "--json"), ("add", "u", "--js")],
)
def test_a_wrong_command_line_is_told_in_json_to_who_wants_that(helper, arguments) -> None:
    done = helper(*arguments)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["class"]) == (2, "WrongUsage")
    assert error["message"] in done.stderr
    assert done.stderr.startswith("usage: job_helper.py")
    assert "--help` tells how it is written" in error["remedy"]
    plain = helper(*(each for each in arguments if not each.startswith("--js")))
    assert (plain.returncode, plain.stdout, plain.stderr) == (2, "", done.stderr)


def test_a_wrong_command_line_names_the_command_that_did_not_understand_it(helper) -> None:
    assert "job_helper.py show: error: the following arguments are required: RUN" in helper("show").stderr
    assert "job_helper.py: error: " in helper("nonsense").stderr


def test_runs_tell_the_seconds_that_the_page_tells(helper, add_config, add_run) -> None:
    claimed = {"created_at": NOON, "claimed_at": NOON.replace(minute=2), "ended_at": NOON.replace(minute=3)}
    add_run(add_config(), NOON, **claimed)
    line = helper("runs").stdout.splitlines()[1]
    assert line.split()[-1] == "60.0"


def test_a_config_that_cannot_be_run_says_what_to_mend(helper, add_config) -> None:
    add_config("elsewhere", google_sheet_url="https://example.com/sheet")
    add_config("negative", run_frequency_hours=-1)
    done = helper("configs")
    assert done.returncode == 0
    assert "google_sheet_url" in done.stdout
    assert "run_frequency_hours" in done.stdout


def test_runs_show_the_newest_first_with_what_went_wrong(helper, add_config, add_run) -> None:
    config = add_config()
    add_run(config, NOON, rows=1234)
    add_run(config, NOON.replace(hour=13), state="failed", error_class="SheetNotShared", error="share it with sync@x")
    lines = helper("runs").stdout.splitlines()
    assert ["failed" in lines[1], "succeeded" in lines[2], "1,234" in lines[2]] == [True, True, True]
    assert "SheetNotShared: share it with sync@x" in lines[3]
    assert [each["state"] for each in json.loads(helper("runs", "--limit", "1", "--json").stdout)] == ["failed"]


def test_runs_tell_a_runs_first_warnings_and_count_the_others(helper, sql, add_config, add_run) -> None:
    run_id = add_run(add_config(), NOON)
    told = [f"warning number {number}" for number in range(7)]
    sql("UPDATE sheet_to_bigquery_runs SET warnings = CAST(:told AS jsonb)", told=json.dumps(told))
    lines = helper("runs").stdout.splitlines()[2:]
    assert lines[:5] == [f"{run_id[:8]} sales: warning: {warning}" for warning in told[:5]]
    assert "… and 2 more (`python job_helper.py runs --json`)" in lines[5]
    assert len(lines) == 6
    assert json.loads(helper("runs", "--json").stdout)[0]["warnings"] == told


def test_a_name_cannot_steer_the_terminal(helper, add_config) -> None:
    add_config("red\x1b[31m[bold] \u202egnp", bigquery_table_id="red")
    out, error = helper("configs").stdout, helper("run", "red\x1b[31m \u202egnp").stderr
    for told in (out, error):
        assert not {"\x1b", "\u202e"} & set(told)
        assert "gnp" in told
    assert "[bold]" in out


def test_lines_away_from_a_terminal_are_whole_and_end_where_their_text_does(helper, add_config) -> None:
    name = "a config with a name that is longer than any terminal is wide " * 3
    add_config(name.strip(), bigquery_table_id="long")
    line = next(line for line in helper("configs").stdout.splitlines() if "a config" in line)
    assert name.strip() in line
    assert line == line.rstrip()


@pytest.mark.parametrize(("extra", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_it_does_not_want_them(extra, coloured, environment, add_config) -> None:
    add_config("due")
    shown = _at_terminal(["job_helper.py", "configs"], environment | {"TERM": "xterm-256color"} | extra)
    assert ("\x1b[36m" in shown) == coloured
    assert "due" in shown


def test_a_database_without_the_schema_gets_the_remedy(helper, environment, sql) -> None:
    sql("DROP TABLE sheet_to_bigquery_runs")
    done = helper("runs")
    assert done.returncode == 2
    assert "python -m sql up" in done.stderr


def test_a_database_that_does_not_answer_is_one_clear_line(helper, environment) -> None:
    done = helper("configs", env=environment | {"POSTGRES_PORT": "9"})
    assert done.returncode == 1
    assert "DatabaseUnavailable" in done.stderr
    assert f"{environment['POSTGRES_HOST']}:9 does not let us in" in done.stderr
    assert "POSTGRES_SSLMODE" in done.stderr
    assert environment["POSTGRES_PASSWORD"] not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_run_gives_up_soon_where_pubsub_does_not_answer(helper, environment, add_config) -> None:
    done = helper("run", str(add_config()), env=environment | {"PUBSUB_EMULATOR_HOST": "127.0.0.1:9"})
    assert done.returncode == 1
    assert "ServiceUnavailable" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("named", ["99999999999999999999", "5000000000", "0", "-1", "", "nobody"])
def test_run_of_a_config_that_is_not_there_is_one_clear_line(named, helper) -> None:
    done = helper("run", "--", named)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_run_by_a_name_of_two_configs_tells_their_ids(helper, add_config) -> None:
    ids = [add_config("sales"), add_config("sales", bigquery_table_id="elsewhere")]
    done = helper("run", "sales")
    assert done.returncode == 2
    assert f'"sales": {ids[0]}, {ids[1]}: use the id' in done.stderr


def _at_terminal(command: list[str], environ: dict[str, str]) -> str:
    """What the command writes to a terminal of its own."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=REPOSITORY, env=environ, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how a terminal says that nobody writes any more
                break
            if not piece:
                break
            seen += piece
        process.wait(timeout=30)
        return seen.decode()
    finally:
        os.close(ours)
