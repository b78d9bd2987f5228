"""An edit that cannot be is told beside its fields, with nothing typed lost; a row that was wrong before is mended."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.console.conftest import Reader, actions, row, text
from tests.integration.console.test_adding import problem
from tests.integration.console.test_editing import URL, edit, value

Add = Callable[..., Any]
Sql = Callable[..., Any]


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("google_sheet_url", "https://example.com/x", "cannot be used: it is not an address at docs.google.com"),
        ("google_sheet_url", "", "is missing"),
        ("google_cloud_project_id", "X", "is text of 1 characters, not a project id"),
        ("bigquery_dataset_id", "a-b", "is text of 3 characters, not a dataset's name"),
        ("bigquery_table_id", "a.b", "is text of 3 characters, not a table's name alone"),
        ("name", " ", "is missing"),
        ("run_frequency_hours", "", "give a whole number of hours, 0 (manual only) to 876000"),
        ("run_frequency_hours", "-1", "give a whole number of hours"),
        ("schema_handling", "guess", "is text of 5 characters, not one of auto_detect, custom, string"),
        ("schema_handling", "custom", None),
        ("custom_schema", "[{", "is not JSON"),
        ("header_row", "0", "is a number, not a whole number from 1 to 10000000"),
        ("header_row", "first", "is text of 5 characters, not a whole number"),
        ("max_shrink", "1", "is a number, not a number from 0, below 1"),
        ("max_error_cells", "true", "is text of 4 characters"),
        ("merge_keys", "id", "means nothing with load_mode replace"),
        ("load_mode", "upsert", "is text of 6 characters, not one of append, merge, replace, snapshot"),
        ("partition_type", "YEAR", "means nothing without partition_by"),
        ("cluster_by", "a\nb\nc\nd\ne", "has 5 columns, and 4 is the most"),
        ("cluster_by", "a\na", "has a name twice"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_typed_is_lost(
    field: str, typed: str, told: str | None, reader: Reader, add_config: Add, sql: Sql
) -> None:
    config_id = add_config()
    before = row(sql, config_id)
    response = edit(reader, config_id, **{field: typed, "google_sheet_tab_name": "Q2"})
    assert response.status_code == 400
    at = "custom_schema" if told is None else field
    assert problem(response, at).startswith(told or "has no columns, but the schema handling is custom")
    assert (value(response, field), value(response, "google_sheet_tab_name")) == (typed, "Q2")
    assert (row(sql, config_id), actions(sql)) == (before, [])


@pytest.mark.parametrize("address", ["edit", "edit/plan"])
def test_what_is_too_long_is_told_beside_its_field_and_nothing_typed_is_lost(
    address: str, reader: Reader, add_config: Add, sql: Sql
) -> None:
    config_id = add_config()
    typed = {"google_sheet_tab_name": "Q" * 256, "merge_keys": "a"}
    response = reader.do(f"/configs/{config_id}/{address}", **typed)
    assert response.status_code == 400
    assert problem(response, "google_sheet_tab_name") == "is text of 256 characters, and 255 is the most"
    assert {name: value(response, name) for name in typed} == typed
    assert (actions(sql), reader.here.planned) == ([], [])


@pytest.mark.parametrize("field", ["name", "bigquery_dataset_id", "bigquery_table_id", "google_sheet_tab_name"])
def test_a_name_is_as_long_as_its_column_and_no_longer(field: str, reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config()
    response = edit(reader, config_id, **{field: "x" * 256})
    assert (response.status_code, problem(response, field)[:26]) == (400, "is text of 256 characters,")
    assert edit(reader, config_id, **{field: "x" * 255}).status_code == 303
    assert row(sql, config_id)[field] == "x" * 255


def test_lines_count_once_however_a_browser_ends_them(reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config()
    described = "x" * 49_000
    schema = "[" + "\r\n" * 900 + json.dumps({"name": "a", "type": "STRING", "description": described}) + "]"
    assert edit(reader, config_id, custom_schema=schema).status_code == 303
    assert row(sql, config_id)["custom_schema"][0]["description"] == described


def test_a_long_text_that_nobody_touched_keeps_nobody_from_editing(reader: Reader, add_config: Add, sql: Sql) -> None:
    columns = [{"name": f"c{number}", "type": "STRING", "description": "x" * 50} for number in range(700)]
    config_id = add_config(custom_schema=json.dumps(columns))
    shown = value(reader.ask(f"/configs/{config_id}/edit"), "custom_schema")
    assert len(shown) > 50_000
    sent = {"custom_schema": shown.replace("\n", "\r\n"), "google_sheet_tab_name": "Q2"}
    assert edit(reader, config_id, **sent).status_code == 303
    assert (row(sql, config_id)["google_sheet_tab_name"], row(sql, config_id)["custom_schema"]) == ("Q2", columns)


def test_all_that_is_wrong_is_told_at_once(reader: Reader, add_config: Add) -> None:
    config_id = add_config()
    response = edit(reader, config_id, google_sheet_url="x", run_frequency_hours="x", header_row="x", load_mode="merge")
    for field in ("google_sheet_url", "run_frequency_hours", "header_row"):
        assert problem(response, field)


def test_a_table_and_a_name_that_are_another_configs_are_told_beside_both(
    reader: Reader, add_config: Add, sql: Sql
) -> None:
    other, config_id = add_config("Costs"), add_config("Sales")
    for address in ("edit", "edit/plan"):
        response = reader.do(f"/configs/{config_id}/{address}", name="Costs", bigquery_table_id="Costs")
        assert response.status_code == 400
        assert f'replaced by config {other} "Costs" already' in problem(response, "bigquery_table_id")
        assert f'a config named "Costs" exists already (config {other})' == problem(response, "name")
    assert (actions(sql), reader.here.planned) == ([], [])


def test_a_config_in_a_conflict_that_was_there_before_can_be_edited_otherwise(
    reader: Reader, add_config: Add, sql: Sql
) -> None:
    add_config("Sales", bigquery_table_id="t")
    config_id = add_config("Sales", bigquery_table_id="t")
    assert edit(reader, config_id, google_sheet_tab_name="Q2").status_code == 303
    assert edit(reader, config_id, bigquery_table_id="own", name="Own").status_code == 303
    assert row(sql, config_id)["bigquery_table_id"] == "own"


def test_of_two_configs_that_want_one_table_at_the_same_moment_one_gets_it(
    reader: Reader, add_config: Add, sql: Sql
) -> None:
    ids = [add_config(name) for name in ("a", "b", "c")]
    forms = [(config_id, reader.form(f"/configs/{config_id}/edit")) for config_id in ids]
    with ThreadPoolExecutor(3) as pool:
        sent = pool.map(lambda each: reader.send(f"/configs/{each[0]}/edit", each[1], bigquery_table_id="one"), forms)
    assert sorted(each.status_code for each in sent) == [303, 400, 400]
    assert sql("SELECT count(*) FROM sheet_to_bigquery_configs WHERE bigquery_table_id = 'one'") == [[1]]


def test_options_that_no_field_can_show_are_mended_as_json(reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config(options='{"on_emtpy": "keep"}')
    form = reader.ask(f"/configs/{config_id}/edit")
    assert json.loads(value(form, "options")) == {"on_emtpy": "keep"}
    assert 'id="field-on_empty"' not in text(form)
    response = edit(reader, config_id, google_sheet_tab_name="Q2")
    assert problem(response, "options").startswith("on_emtpy is none of range, header_row, on_empty")
    assert "is not JSON" in problem(edit(reader, config_id, options="{"), "options")
    assert edit(reader, config_id, options='{"on_empty": "keep"}').status_code == 303
    assert row(sql, config_id)["options"] == {"on_empty": "keep"}
    assert value(reader.ask(f"/configs/{config_id}/edit"), "on_empty") == "keep"


def test_a_row_that_a_portal_wrote_oddly_is_shown_and_mended(reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config(google_sheet_url="javascript:alert(1)", run_frequency_hours=-1, schema_handling="guess")
    form = reader.ask(f"/configs/{config_id}/edit")
    assert (value(form, "schema_handling"), value(form, "run_frequency_hours")) == ("guess", "-1")
    response = edit(reader, config_id, google_sheet_tab_name="Q2")
    for field in ("google_sheet_url", "run_frequency_hours", "schema_handling"):
        assert problem(response, field)
    mended = {"google_sheet_url": URL, "run_frequency_hours": "0", "schema_handling": "string"}
    assert edit(reader, config_id, **mended).status_code == 303
    assert (row(sql, config_id)["run_frequency_hours"], row(sql, config_id)["schema_handling"]) == (0, "string")
