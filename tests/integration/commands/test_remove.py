"""`job_helper.py remove`: a config is forgotten, and nothing that it loaded."""

import json
from datetime import UTC, datetime

import pytest

SLOT = datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_a_removed_config_is_gone_and_its_runs_stay(helper, add_config, add_run, sql) -> None:
    config_id = add_config("sales")
    run_id = add_run(config_id, SLOT)
    other = add_config("stock")
    done = helper("remove", "sales")
    assert done.returncode == 0, done.stderr
    assert f"removed config {config_id} sales" in done.stdout
    assert sql("SELECT id FROM sheet_to_bigquery_configs") == [[other]]
    assert sql("SELECT id::text, state FROM sheet_to_bigquery_runs") == [[run_id, "succeeded"]]


def test_a_paused_config_and_one_that_cannot_be_run_can_be_removed_by_id(helper, add_config, sql) -> None:
    ids = [add_config("asleep", is_active=False), add_config("wrong", google_sheet_url="https://example.com")]
    for config_id in ids:
        assert json.loads(helper("remove", str(config_id), "--json").stdout)["id"] == config_id
    assert sql("SELECT id FROM sheet_to_bigquery_configs") == []


def test_a_config_with_an_open_run_stays_and_the_run_is_named(helper, add_config, add_run, sql) -> None:
    config_id = add_config("sales")
    run_id = add_run(config_id, SLOT, state="pending")
    done = helper("remove", "sales")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"pending: {run_id}" in done.stderr
    assert f"cancel {run_id[:8]}" in done.stderr
    assert sql("SELECT id FROM sheet_to_bigquery_configs") == [[config_id]]
    assert helper("cancel", run_id[:8]).returncode == 0
    assert helper("remove", "sales").returncode == 0


@pytest.mark.parametrize("named", ["nobody", "4711"])
def test_a_config_that_is_not_there_is_one_clear_line(named, helper, add_config, sql) -> None:
    add_config("sales")
    done = helper("remove", named)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert sql("SELECT name FROM sheet_to_bigquery_configs") == [["sales"]]


def test_of_two_of_one_name_neither_goes_by_the_name(helper, add_config, sql) -> None:
    for table in ("one", "two"):
        add_config("twin", bigquery_table_id=table)
    assert helper("remove", "twin").returncode == 2
    assert sql("SELECT count(*) FROM sheet_to_bigquery_configs") == [[2]]
