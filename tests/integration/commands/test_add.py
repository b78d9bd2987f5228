"""`job_helper.py add`: a config without SQL, checked before it is written."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.commands.conftest import PROJECT, URL

TO = ("--project", PROJECT, "--dataset", "reports")


def _rows(sql) -> list[dict[str, Any]]:
    return [row for (row,) in sql("SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c ORDER BY id")]


def test_add_names_the_config_and_its_table_after_the_spreadsheet(helper, sql) -> None:
    done = helper("add", URL, *TO)
    assert done.returncode == 0, done.stderr
    (row,) = _rows(sql)
    assert (row["name"], row["bigquery_table_id"]) == ("Sales-by-Quarter", "sales_by_quarter")
    assert (row["google_sheet_url"], row["run_frequency_hours"], row["is_active"]) == (URL, 24, True)
    assert f"added config {row['id']}" in done.stdout
    assert "next due now" in done.stdout


def test_add_keeps_two_tabs_of_one_spreadsheet_apart(helper, sql) -> None:
    assert helper("add", URL, *TO).returncode == 0
    assert helper("add", URL, *TO, "--tab", "Q4 Sales").returncode == 0
    assert [row["bigquery_table_id"] for row in _rows(sql)] == ["sales_by_quarter", "sales_by_quarter_q4_sales"]
    assert _rows(sql)[1]["google_sheet_tab_name"] == "Q4 Sales"


def test_add_asks_nobody_for_a_title_that_it_does_not_need(helper, sql, environment) -> None:
    env = environment | {"SHEETS_API_ENDPOINT": "http://127.0.0.1:9"}
    done = helper("--json", "add", URL, *TO, "--name", "sales", "--table", "t", "--frequency", "0", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "manual_only"
    assert _rows(sql)[0]["run_frequency_hours"] == 0


@pytest.mark.parametrize("option", ["--table", "--dataset"])
def test_add_tells_a_name_that_its_column_cannot_hold_as_wrong_usage(option, helper, sql) -> None:
    names = {"--project": PROJECT, "--dataset": "reports", "--name": "sales", "--table": "t", option: "x" * 256}
    done = helper("--json", "add", URL, *(word for pair in names.items() for word in pair))
    assert (done.returncode, json.loads(done.stdout)["error"]["class"]) == (2, "InvalidInput")
    assert "a text is longer than PostgreSQL's column for it (value too long for type character varying(255))" in (
        done.stderr
    )
    assert _rows(sql) == []


def test_add_refuses_a_second_active_config_for_a_table_and_names_the_first(helper, sql, add_config) -> None:
    add_config("first", google_cloud_project_id=PROJECT, bigquery_table_id="same")
    done = helper("add", URL, *TO, "--name", "second", "--table", "same")
    assert done.returncode == 1
    assert "TableConflict" in done.stderr
    assert '"first"' in done.stderr
    assert len(_rows(sql)) == 1


def test_of_two_at_the_same_moment_one_is_refused(helper, sql) -> None:
    with ThreadPoolExecutor() as pool:
        done = pool.map(lambda name: helper("add", URL, *TO, "--name", name, "--table", "same"), ["one", "two"])
    assert sorted(each.returncode for each in done) == [0, 1]
    assert len(_rows(sql)) == 1


@pytest.mark.parametrize("active", [True, False])
def test_add_refuses_a_name_that_a_config_has_and_names_its_id(active, helper, sql, add_config) -> None:
    first = add_config("sales", bigquery_table_id="elsewhere", is_active=active)
    done = helper("add", URL, *TO, "--name", "sales", "--table", "t")
    assert done.returncode == 2
    assert f'NameTaken: a config named "sales" exists already (config {first})' in done.stderr
    assert "--name" in done.stderr
    assert len(_rows(sql)) == 1


def test_a_name_taken_twice_at_the_same_moment_is_added_once(helper, sql) -> None:
    with ThreadPoolExecutor() as pool:
        done = pool.map(lambda table: helper("add", URL, *TO, "--name", "sales", "--table", table), ["one", "two"])
    assert sorted(each.returncode for each in done) == [0, 2]
    assert len(_rows(sql)) == 1


def test_a_paused_config_leaves_its_table_to_another(helper, sql, add_config) -> None:
    add_config("first", google_cloud_project_id=PROJECT, bigquery_table_id="same", is_active=False)
    assert helper("add", URL, *TO, "--name", "second", "--table", "same").returncode == 0
    assert len(_rows(sql)) == 2


def test_add_from_a_file_takes_the_files_schema_and_frequency(helper, sql, config_file) -> None:
    schema = [{"name": "id", "type": "integer", "mode": "required"}]
    path = config_file(schema_handling="custom", custom_schema=schema, run_frequency_hours=6)
    assert helper("add", "--config-file", path).returncode == 0
    (row,) = _rows(sql)
    assert (row["name"], row["schema_handling"], row["run_frequency_hours"]) == ("by_hand", "custom", 6)
    assert [(each["name"], each["type"]) for each in row["custom_schema"]] == [("id", "INT64")]


def test_add_takes_a_custom_schema_from_a_file(helper, sql, tmp_path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('[{"name": "amount", "type": "NUMERIC"}]')
    done = helper("add", URL, *TO, "--name", "sales", "--table", "t", "--custom-schema", str(schema))
    assert done.returncode == 0, done.stderr
    (row,) = _rows(sql)
    assert row["schema_handling"] == "custom"
    assert row["custom_schema"][0]["type"] == "NUMERIC"


def test_where_the_older_service_has_configs_too_an_added_one_is_the_jobs(helper, sql) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text")
    done = helper("add", URL, *TO, "--json")
    assert json.loads(done.stdout)["verdict"] == "due"
    assert _rows(sql)[0]["migration_status"] == "job_ready"
    assert "it is the job's (job_ready)" in helper("add", URL, *TO, "--name=other", "--table=other").stdout


def test_where_nobody_migrates_no_owner_is_told(helper) -> None:
    assert "job_ready" not in helper("add", URL, *TO).stdout


def test_a_table_whose_framework_wants_its_times_gets_them(helper, sql) -> None:
    for column in ("created_at", "updated_at"):
        sql(f"ALTER TABLE sheet_to_bigquery_configs ALTER {column} DROP DEFAULT, ALTER {column} SET NOT NULL")
    assert helper("add", URL, *TO).returncode == 0
    assert _rows(sql)[0]["created_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("https://example.com/x", *TO), "google_sheet_url"),
        ((URL, "--project", PROJECT), "--dataset"),
        ((URL, *TO, "--table", "a.b", "--name", "n"), "bigquery_table_id"),
        ((URL, *TO, "--frequency", "-1"), "--frequency"),
        ((URL, *TO, "--custom-schema", "/nowhere.json"), "/nowhere.json"),
        (("--config-file", "/nowhere.json"), "/nowhere.json"),
        (("--config-file", "/nowhere.json", "--table", "t"), "--table"),
        ((), "URL"),
    ],
)
def test_wrong_input_is_named_and_nothing_is_added(arguments, named, helper, sql) -> None:
    done = helper("add", *arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert _rows(sql) == []


def test_a_frequency_in_a_file_has_to_be_whole_hours(helper, sql, config_file) -> None:
    done = helper("add", "--config-file", config_file(run_frequency_hours=1.5))
    assert done.returncode == 2
    assert "run_frequency_hours" in done.stderr
    assert _rows(sql) == []


def test_a_spreadsheet_that_is_not_there_is_told_with_the_remedy(helper, sql) -> None:
    done = helper("add", "https://docs.google.com/spreadsheets/d/nobody-has-this-one/edit", *TO)
    assert done.returncode == 1
    assert "SheetNotFound" in done.stderr
    assert "share the spreadsheet" in done.stderr
    assert _rows(sql) == []
