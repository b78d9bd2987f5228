"""`migrate.py status` and `history`: what a person sees before the next step."""

import json
import uuid

import pytest

from tests.integration.migrate.conftest import NOBODY, PROJECT


def test_the_counts_come_first_and_each_config_has_a_line(migrate, team) -> None:
    team.config("plain")
    team.compared(team.config("beside", "shadow"), "MATCH", "MATCH")
    team.config("moved", "job_ready")
    team.config("unmarked", None)
    done = migrate("status")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "2 service · 1 shadow · 1 job_ready"
    (beside,) = [line for line in lines if " beside " in line]
    assert beside.endswith("MATCH    2 of 3")
    assert [line.split()[2] for line in lines if " unmarked " in line] == ["service"]


def test_a_verdict_from_before_the_owner_changed_is_told_no_more(migrate, team) -> None:
    config_id = team.config("sales", "shadow")
    team.compared(config_id, "MISMATCH")
    assert "MISMATCH" in migrate("status").stdout
    team.mark(config_id, "service")
    assert "MISMATCH" not in migrate("status").stdout
    team.mark(config_id, "shadow")
    assert "MISMATCH" not in migrate("status").stdout
    team.compared(config_id, "MATCH")
    (line,) = [line for line in migrate("status").stdout.splitlines() if " sales " in line]
    assert line.endswith("MATCH    1 of 3")


def test_a_hand_over_that_is_not_complete_is_told(migrate, team, add_run) -> None:
    back = team.config("back", "job_ready")
    team.in_flight(back, add_run)
    team.mark(back, "service")
    over = team.config("over", "job_ready")
    team.message_at_service(over, seconds=300)
    done = migrate("status")
    assert "2 handed over, but not yet let go by who had them before" in done.stdout
    assert "the service's messages wait for its end" in done.stdout
    assert "runs of the job wait for that" in done.stdout


def test_those_that_are_named_are_told_alone(migrate, team) -> None:
    team.config("a")
    team.config("b", "shadow")
    told = json.loads(migrate("status", "b", "--json").stdout)
    assert told["counts"] == {"service": 0, "shadow": 1, "job_ready": 0}
    assert [each["name"] for each in told["configs"]] == ["b"]


def test_a_team_without_configs_is_told_so_by_its_counts(migrate, team) -> None:
    done = migrate("status")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "0 service · 0 shadow · 0 job_ready")


def test_who_changed_an_owner_when_and_why_is_kept(migrate, team, sql) -> None:
    team.config("sales", "shadow")
    team.config("stock", "shadow")
    migrate("rollback", "sales", "--reason", "a column is missing", "--actor", "bo")
    told = json.loads(migrate("history", "sales", "--json").stdout)
    assert [(each["before"], each["after"], each["changed_by"], each["reason"]) for each in told] == [
        ("shadow", "service", "bo", "a column is missing"),
        ("service", "shadow", sql("SELECT session_user")[0][0], None),
    ]
    assert "stock" in migrate("history").stdout


def test_without_a_setting_the_account_and_the_machine_are_who(migrate, team) -> None:
    team.config("sales", "shadow")
    migrate("rollback", "sales", MIGRATION_ACTOR="")
    account, _, machine = team.changes()[-1][3].partition("@")
    assert account
    assert machine


def test_a_history_without_changes_says_so(migrate, team) -> None:
    assert migrate("history").stdout == "No owner was changed yet.\n"


def test_who_else_writes_a_table_of_the_jobs_is_told_with_what_to_stop(migrate, team, add_run) -> None:
    dataset = f"w{uuid.uuid4().hex[:10]}"
    config_id = team.config("sales", "job_ready", bigquery_dataset_id=dataset)
    run = team.in_flight(config_id, add_run)
    team.load_as_job(run)
    quiet = migrate("status")
    assert (quiet.returncode, "somebody else" in quiet.stdout) == (0, False)
    team.load_as_service(f"{dataset}.sales")
    done = migrate("status", "--json")
    (sentence,) = json.loads(done.stdout)["configs"][0]["others"]
    assert f"the job owns {PROJECT}.{dataset}.sales" in sentence
    assert "remove its own push subscription" in sentence
    assert "somebody else" not in migrate("status", "--no-cloud").stdout


def test_where_bigquery_tells_nothing_the_rest_is_told(migrate, team) -> None:
    team.config("sales", "job_ready")
    done = migrate("status", BIGQUERY_EMULATOR_HOST=NOBODY)
    assert done.returncode == 0
    assert "1 job_ready" in done.stdout
    assert "others' writes are not looked for" in done.stderr


@pytest.mark.parametrize("command", ["status", "history", "compare", "types"])
def test_who_looks_is_not_told_that_nothing_was_changed(command, migrate, team) -> None:
    done = migrate(command, "nosuch")
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        ['UnknownConfig: there is no config named "nosuch": `job_helper.py configs` lists them'],
    )
    assert migrate("promote", "nosuch").stderr.startswith("nothing was changed\n")


def test_a_wrong_command_line_gets_the_usage_of_its_own_command(migrate) -> None:
    done = migrate("rollback", "sales", "--all")
    assert (done.returncode, done.stderr.startswith("usage: migrate.py rollback ")) == (2, True)


def test_machines_get_errors_as_json(migrate, team) -> None:
    done = migrate("status", "nosuch", "--json")
    assert json.loads(done.stdout)["error"]["class"] == "UnknownConfig"
