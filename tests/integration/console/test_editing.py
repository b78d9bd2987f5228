"""A config is edited on its form: checked as everywhere, and saved against what was shown, column by column."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import flask
import pytest

from shared.ledger.store import Store
from tests.integration.console.conftest import (
    HOSTILE,
    WHO,
    Reader,
    actions,
    assert_inert,
    attempt_at,
    done,
    notice,
    row,
    text,
)
from tests.integration.console.test_adding import problem

Add = Callable[..., Any]
Sql = Callable[..., Any]
NEW_URL = "https://docs.google.com/spreadsheets/d/klmnopqrst/edit"
URL = "https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=0"


def edit(reader: Reader, config_id: int, **fields: str) -> flask.Response:
    return reader.do(f"/configs/{config_id}/edit", **fields)


def value(response: flask.Response, field: str) -> str:
    """What stands in a field of the form, of whichever kind."""
    html = response.get_data(as_text=True)
    kind = html.partition(f' id="field-{field}"')[0].rpartition("<")[2]
    inside = html.partition(f' id="field-{field}"')[2]
    if kind == "textarea":
        return unescape(inside.partition(">\n")[2].partition("</textarea>")[0])
    if kind == "select":
        options = inside.partition("</select>")[0].split("<option ")
        (chosen,) = [each for each in options if '" selected>' in each]
        inside = chosen
    return unescape(inside.partition('value="')[2].partition('"')[0])


def plan(reader: Reader, config_id: int, **fields: str) -> str:
    response = reader.do(f"/configs/{config_id}/edit/plan", **fields)
    assert response.status_code == 303, text(response)
    return response.headers["Location"].removeprefix("/plans/")


# -- what is saved -----------------------------------------------------------------------------------------


def test_only_what_was_changed_is_saved_and_written_down_before_and_after(
    reader: Reader, add_config: Add, sql: Sql, store: Store
) -> None:
    config_id = add_config(
        "Sales", google_sheet_tab_name="Q1", custom_schema='"left by a portal"', last_run="2026-01-02"
    )
    before = row(sql, config_id)
    response = edit(reader, config_id, google_sheet_tab_name="  Q2 ", google_sheet_url=NEW_URL)
    after = row(sql, config_id)
    assert after == before | {
        "google_sheet_tab_name": "Q2",
        "google_sheet_url": NEW_URL,
        "updated_at": after["updated_at"],
    }
    acted = done(response, store)
    assert response.headers["Location"].startswith(f"/configs/{config_id}?done=")
    assert (acted.action, acted.acted_by, acted.config_id, acted.config_name) == ("edit", WHO, config_id, "Sales")
    assert acted.details == {
        "changed": {
            "google_sheet_tab_name": {"before": "Q1", "after": "Q2"},
            "google_sheet_url": {"before": URL, "after": NEW_URL},
        }
    }
    told = '"Sales" is saved, with another spreadsheet and tab. The next run goes by it.'
    assert notice(reader, response) == told
    assert f"edit by {WHO}: spreadsheet {URL} → {NEW_URL}; tab Q1 → Q2" in reader.words(f"/configs/{config_id}")


@pytest.mark.parametrize(
    ("before", "fields", "after"),
    [
        (None, {"on_empty": "keep"}, {"on_empty": "keep"}),
        ({"on_empty": "keep"}, {"on_empty": "fail"}, None),
        (
            {"on_empty": "keep"},
            {"header_row": "3", "range": "B3:F"},
            {"on_empty": "keep", "header_row": 3, "range": "B3:F"},
        ),
        ('{"on_empty": "keep"}', {"max_shrink": "0.25"}, {"on_empty": "keep", "max_shrink": 0.25}),
        (
            None,
            {"load_mode": "merge", "merge_keys": "id\r\n\r\n Order, No. \r\n"},
            {"load_mode": "merge", "merge_keys": ["id", "Order, No."]},
        ),
        (None, {"max_error_cells": "0", "skip_unchanged": "true"}, {"max_error_cells": 0, "skip_unchanged": True}),
        ({"header_row": "2"}, {"schema_drift": "keep"}, {"header_row": "2", "schema_drift": "keep"}),
        ({"partition_by": "day", "partition_type": "MONTH"}, {"partition_by": "", "partition_type": "DAY"}, None),
        ({"parity": True}, {"parity": "false", "cluster_by": "a\nb"}, {"cluster_by": ["a", "b"]}),
    ],
)
def test_each_option_has_a_field_and_the_others_stay_as_they_were_written(
    before: Any, fields: dict[str, str], after: Any, reader: Reader, add_config: Add, sql: Sql, store: Store
) -> None:
    config_id = add_config(options=json.dumps(before))
    if before is None:
        sql("UPDATE sheet_to_bigquery_configs SET options = NULL WHERE id = :id", id=config_id)
    acted = done(edit(reader, config_id, **fields), store)
    assert row(sql, config_id)["options"] == after
    assert list(acted.details["changed"]) == ["options"]


def test_types_are_chosen_and_a_custom_schema_is_written(reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config(schema_handling="AUTO_DETECT")
    schema = [{"name": "id", "type": "INT64"}, {"name": "Größe", "type": "NUMERIC(10,2)"}]
    edit(reader, config_id, schema_handling="custom", custom_schema=json.dumps(schema))
    after = row(sql, config_id)
    assert (after["schema_handling"], after["custom_schema"]) == ("custom", schema)
    form = reader.ask(f"/configs/{config_id}/edit")
    assert (value(form, "schema_handling"), json.loads(value(form, "custom_schema"))) == ("custom", schema)


def test_the_form_shows_the_row_as_it_is(reader: Reader, add_config: Add) -> None:
    options = {"on_empty": "keep", "merge_keys": ["a", "b"], "load_mode": "merge", "skip_unchanged": True}
    config_id = add_config("Sales", google_sheet_tab_name="Q1", run_frequency_hours=6, options=json.dumps(options))
    form = reader.ask(f"/configs/{config_id}/edit")
    shown = {
        "google_sheet_url": URL,
        "google_sheet_tab_name": "Q1",
        "google_cloud_project_id": "test-project",
        "bigquery_dataset_id": "reports",
        "bigquery_table_id": "Sales",
        "name": "Sales",
        "run_frequency_hours": "6",
        "schema_handling": "auto_detect",
        "on_empty": "keep",
        "merge_keys": "a\nb",
        "load_mode": "merge",
        "skip_unchanged": "true",
        "max_shrink": "",
        "partition_type": "DAY",
    }
    assert {field: value(form, field) for field in shown} == shown


@pytest.mark.parametrize("field", ["on_empty", "custom_schema"])
def test_a_link_to_a_field_opens_the_group_that_it_is_in(field: str, reader: Reader, add_config: Add) -> None:
    here = f"/configs/{add_config()}/edit"
    assert '<details class="group">' in reader.page(here)
    opened = reader.page(here, field=field).partition('<details class="group" open>')[2].partition("</details>")[0]
    assert f'id="field-{field}"' in opened


def test_a_link_to_an_option_opens_the_options_where_only_their_json_can_be_shown(
    reader: Reader, add_config: Add
) -> None:
    config_id = add_config(options='{"header_row": 0}')
    here = f"/configs/{config_id}/edit"
    opened = reader.page(here, field="header_row").partition('<details class="group" open>')[2]
    assert 'id="field-options"' in opened.partition("</details>")[0]


def test_a_form_that_changes_nothing_does_nothing_and_says_so(reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config(run_frequency_hours=None, google_sheet_tab_name=" Q1 ", options='{"on_empty": "fail"}')
    before = row(sql, config_id)
    for address in ("edit", "edit/plan"):
        # Texts as a browser sends what it was shown.
        response = reader.do(f"/configs/{config_id}/{address}", google_sheet_tab_name="Q1", run_frequency_hours="24")
        assert response.status_code == 409
        assert "there is nothing to change" in text(response)
    assert (row(sql, config_id), actions(sql), reader.here.planned) == (before, [], [])


def test_a_form_that_is_sent_twice_saves_once(reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config()
    form = reader.form(f"/configs/{config_id}/edit")
    with ThreadPoolExecutor(3) as pool:
        sent = list(pool.map(lambda _: reader.send(f"/configs/{config_id}/edit", form, name="Costs"), range(3)))
    assert [each.status_code for each in sent] == [303] * 3
    assert len({each.headers["Location"] for each in sent}) == 1
    assert actions(sql) == ["edit"]


# -- who, whose, and what goes on --------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["edit", "edit/plan"])
def test_who_may_only_look_edits_nothing(
    address: str, reader: Reader, reader_of: Callable[..., Reader], add_config: Add, sql: Sql
) -> None:
    config_id = add_config("Sales")
    form = reader.form(f"/configs/{config_id}/edit")
    viewer = reader_of("bob@example.com", CONSOLE_EDITORS=WHO)
    assert viewer.send(f"/configs/{config_id}/{address}", form, name="Costs").status_code == 403
    assert viewer.ask(f"/configs/{config_id}/edit").status_code == 403
    assert row(sql, config_id)["name"] == "Sales"


def test_a_run_in_flight_is_told_of(reader: Reader, add_config: Add, add_run: Add, store: Store) -> None:
    config_id = add_config()
    here = f"/configs/{config_id}/edit"
    assert "A run is in flight" not in reader.words(here)
    add_run(config_id, store.now(), state="running", **attempt_at(store.now()))
    assert "A run is in flight: it goes on with the config as that was when it began." in reader.words(here)


@pytest.mark.parametrize(
    ("owner", "is_told"), [("service", True), ("shadow", True), (None, True), ("job_ready", False)]
)
def test_whose_table_it_is_is_told_where_it_is_the_older_services(
    owner: str | None, is_told: bool, reader: Reader, add_config: Add, sql: Sql
) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text")
    config_id = add_config(migration_status=owner)
    told = "The older service loads the table of this config" in reader.words(f"/configs/{config_id}/edit")
    assert told == is_told
    assert edit(reader, config_id, google_sheet_tab_name="Q2").status_code == 303


def test_a_shadow_is_not_moved_onto_another_configs_table(reader: Reader, add_config: Add, sql: Sql) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text")
    other = add_config(
        "other", bigquery_dataset_id="plain_job_shadow", bigquery_table_id="t", migration_status="service"
    )
    config_id = add_config("Sales", migration_status="shadow")
    suffix = reader.here.settings.shadow_suffix
    sql("UPDATE sheet_to_bigquery_configs SET bigquery_dataset_id = :d WHERE id = :id", d=f"plain{suffix}", id=other)
    response = edit(reader, config_id, bigquery_dataset_id="plain", bigquery_table_id="t")
    assert response.status_code == 400
    assert f'which is the table of config {other} "other"' in problem(response, "bigquery_table_id")


def test_with_whom_another_spreadsheet_has_to_be_shared_is_told(
    reader_of: Callable[..., Reader], add_config: Add
) -> None:
    there = f"/configs/{add_config()}/edit"
    told = "Another spreadsheet has to be shared as Viewer with job@p.example first."
    assert told in reader_of(SHARE_WITH="job@p.example").words(there)
    assert "has to be shared" not in reader_of().words(there)


@pytest.mark.parametrize(
    ("error_class", "field"),
    [
        ("SheetNotFound", "google_sheet_url"),
        ("TabNotFound", "google_sheet_tab_name"),
        ("EmptySheet", "on_empty"),
        ("SheetShrank", "max_shrink"),
        ("QuotaExceeded", None),
        (None, None),
    ],
)
def test_a_failed_run_leads_to_the_field_that_mends_it(
    error_class: str | None,
    field: str | None,
    reader: Reader,
    reader_of: Callable[..., Reader],
    add_config: Add,
    add_run: Add,
    store: Store,
) -> None:
    config_id = add_config()
    run_id = add_run(config_id, store.now(), state="failed", error_class=error_class, error="what; remedy")
    link = f'href="/configs/{config_id}/edit?field={field}#field-{field}">Edit the config'
    viewer = reader_of("bob@example.com", CONSOLE_EDITORS=WHO)
    for page in (f"/runs/{run_id}", f"/configs/{config_id}"):
        assert (link in text(reader.ask(page))) == (field is not None)
        assert "Edit the config" not in text(viewer.ask(page))


def test_what_people_wrote_stays_text_in_each_field(reader: Reader, add_config: Add, store: Store) -> None:
    config_id = add_config(
        HOSTILE,
        bigquery_table_id="t",
        google_sheet_tab_name=HOSTILE,
        options=json.dumps({"merge_keys": [f"</textarea>{HOSTILE}"]}),
    )
    assert_inert(reader.page(f"/configs/{config_id}/edit"))
    fields = dict.fromkeys(("google_sheet_url", "range", "custom_schema", "schema_handling", "shown"), HOSTILE)
    response = edit(reader, config_id, **fields)
    assert response.status_code == 409
    assert_inert(response.get_data(as_text=True))
    acted = edit(reader, config_id, range=HOSTILE, load_mode="merge", name="plain")
    assert acted.status_code == 303
    html = reader.page(f"/configs/{config_id}")
    assert_inert(html)
    plan_id = plan(reader, config_id, partition_by=HOSTILE)
    assert_inert(reader.page(f"/plans/{plan_id}"))
