"""`job_helper.py pause` and `resume`: nothing new of a config begins, and everybody is told why."""

import json
import re
import shlex

import pytest


def verdict(helper, name: str) -> dict[str, str]:
    return next(each for each in json.loads(helper("configs", "--json").stdout) if each["name"] == name)


def test_a_paused_config_is_never_due_and_tells_why(helper, add_config) -> None:
    add_config("sales")
    done = helper("pause", "sales", "--reason", "the sheet moves to finance")
    assert (done.returncode, "paused (the sheet moves to finance)" in done.stdout) == (0, True)
    assert verdict(helper, "sales")["verdict"] == "paused"
    assert "the sheet moves to finance" in verdict(helper, "sales")["told"]


def test_configs_tells_the_reason_below_the_table_and_what_else_is_wrong(helper, add_config) -> None:
    add_config("sales", google_sheet_url="https://example.com/sheet")
    helper("pause", "sales", "--reason", "ten failures")
    last = helper("configs").stdout.splitlines()[-1]
    assert "sales: paused (ten failures)" in last
    assert "google_sheet_url" in last


def test_a_resumed_config_is_due_as_ever_and_its_reason_forgotten(helper, add_config, sql) -> None:
    config_id = add_config("sales")
    helper("pause", str(config_id), "--reason", "for now")
    done = helper("resume", "sales")
    assert (done.returncode, done.stdout) == (0, f"{config_id} sales: resumed; due\n")
    assert sql("SELECT is_active, paused_reason FROM sheet_to_bigquery_configs") == [[True, None]]


def test_who_paused_and_resumed_is_in_the_audit_with_the_reason(helper, add_config, sql) -> None:
    config_id = add_config("sales")
    helper("pause", "sales", "--reason", "for now")
    helper("pause", "sales")
    for _ in range(2):  # the second one changes nothing
        helper("resume", "sales")
    acted = sql("SELECT action, config_id, config_name, acted_by LIKE '_%@_%', details FROM sheet_to_bigquery_actions")
    assert acted == [
        ["pause", config_id, "sales", True, {"reason": "for now"}],
        ["pause", config_id, "sales", True, {}],
        ["resume", config_id, "sales", True, {}],
    ]


def test_a_reason_from_an_earlier_pause_is_not_told_of_a_new_one(helper, add_config, sql) -> None:
    add_config("sales")
    helper("pause", "sales", "--reason", "the old story")
    sql("UPDATE sheet_to_bigquery_configs SET is_active = true")  # as the portal does
    assert "the old story" not in helper("pause", "sales").stdout


def test_pausing_again_keeps_the_reason_where_none_is_given(helper, add_config) -> None:
    add_config("sales")
    helper("pause", "sales", "--reason", "for now")
    assert "for now" in helper("pause", "sales").stdout


def test_a_config_whose_table_another_has_by_now_is_not_resumed(helper, add_config, sql) -> None:
    add_config("old", bigquery_table_id="same", is_active=False)
    other = add_config("new", bigquery_table_id=" same ")
    done = helper("resume", "old")
    assert (done.returncode, f'config {other} "new"' in done.stderr) == (1, True)
    assert sql("SELECT is_active FROM sheet_to_bigquery_configs WHERE name = 'old'") == [[False]]


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_config_that_is_not_there_is_one_clear_line_and_nothing_changes(command, helper, add_config, sql) -> None:
    add_config("sales", is_active=command == "pause")
    before = sql("SELECT is_active FROM sheet_to_bigquery_configs")
    done = helper(command, "sales", "nobody")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert sql("SELECT is_active FROM sheet_to_bigquery_configs") == before


def test_a_config_that_was_not_paused_is_told_as_such_and_stays_as_it_is(helper, add_config, sql) -> None:
    config_id, asleep = add_config("sales"), add_config("stock", is_active=False)
    before = sql("SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c WHERE id = :id", id=config_id)
    done = helper("resume", "sales", "stock")
    assert done.stdout.splitlines() == [f"{config_id} sales: was not paused; due", f"{asleep} stock: resumed; due"]
    assert sql("SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c WHERE id = :id", id=config_id) == before


def test_the_command_that_a_pause_tells_resumes_the_config(helper, add_config) -> None:
    config_id = add_config("north & south")
    [command] = re.findall(r"`job_helper\.py (.*?)`", helper("pause", "north & south").stdout)
    assert f"{config_id} north & south: resumed" in helper(*shlex.split(command)).stdout


def test_a_config_without_a_name_is_paused_and_resumed_by_its_id(helper, add_config, sql) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ALTER name DROP NOT NULL")
    config_id = add_config(None, bigquery_table_id="unnamed")
    assert f"`job_helper.py resume {config_id}`" in helper("pause", str(config_id)).stdout
    assert "resumed; " in helper("resume", str(config_id)).stdout
