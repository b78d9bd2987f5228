"""A config is added by a pasted address: checked as at a terminal, planned, and saved once, with nothing typed lost."""

import json
import re
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import flask
import pytest

from shared.errors import ExecutionFailed
from shared.ledger.store import Store
from shared.plan import NO_RUN, Plan, PlannedColumn
from tests.integration.console.conftest import WHO, Reader, done, notice, text

ADDRESS = "https://docs.google.com/spreadsheets/d/abcdefghij/edit"
URL = f"{ADDRESS}#gid=0"
FILLED_IN = {
    "google_sheet_url": f"  {URL} ",
    "google_sheet_tab_name": "",
    "google_cloud_project_id": "test-project",
    "bigquery_dataset_id": "reports",
    "name": "Sales by Quarter",
    "bigquery_table_id": "",
    "run_frequency_hours": "6",
}
Add = Callable[..., Any]
Sql = Callable[..., Any]


def plan(reader: Reader, **changes: str) -> flask.Response:
    return reader.do("/plans", page="/add", **FILLED_IN | changes)


def made(reader: Reader, store: Store, **changes: str) -> str:
    """A plan of a new config that came back: it would load."""
    plan_id = plan(reader, **changes).headers["Location"].removeprefix("/plans/")
    assert store.claim_plan(plan_id, store.now())
    column = PlannedColumn("Order", "order", "STRING", "NULLABLE", 3)
    assert store.close_plan(plan_id, "e", Plan(tab="Q1", rows=3, columns=(column,)), store.now())
    return plan_id


def configs(sql: Sql) -> list[dict[str, Any]]:
    return [row for (row,) in sql("SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c ORDER BY id")]


def values(response: flask.Response, names: Collection[str] = tuple(FILLED_IN)) -> dict[str, str]:
    """What stands in the form's fields of one line, those with these names."""
    inputs = response.get_data(as_text=True).split('<input id="field-')[1:]
    told = {each.partition('"')[0]: unescape(each.partition('value="')[2].partition('"')[0]) for each in inputs}
    return {name: told[name] for name in names}


def suggested(response: flask.Response, field: str) -> list[str]:
    """The values that a browser offers for a field."""
    _, _, offered = response.get_data(as_text=True).partition(f'<datalist id="list-{field}">')
    return re.findall(r'<option value="([^"]*)">', offered.partition("</datalist>")[0])


def problem(response: flask.Response, field: str) -> str:
    """What stands beside a field, which the field refers to."""
    html = response.get_data(as_text=True)
    assert f'aria-describedby="problem-{field} help-{field}"' in html
    return unescape(html.partition(f'id="problem-{field}">')[2].partition("</p>")[0])


def test_a_pasted_address_becomes_a_plan_of_a_candidate_and_nothing_is_saved(
    reader: Reader, store: Store, sql: Sql
) -> None:
    response = plan(reader)
    (plan_id,) = reader.here.planned
    assert (response.status_code, response.headers["Location"]) == (303, f"/plans/{plan_id}")
    asked = store.find_plan(plan_id)
    assert asked is not None
    assert (asked.config_id, asked.requested_by, asked.state) == (None, WHO, "requested")
    assert asked.config == {
        "google_sheet_url": URL,
        "google_cloud_project_id": "test-project",
        "bigquery_dataset_id": "reports",
        "name": "Sales by Quarter",
        "bigquery_table_id": "sales_by_quarter",
        "run_frequency_hours": 6,
    }
    assert configs(sql) == []


def test_the_form_begins_with_our_project_alone(reader: Reader) -> None:
    begun = values(reader.ask("/add"))
    assert begun.pop("google_cloud_project_id") == "test-project"
    assert set(begun.values()) == {""}


def test_the_only_project_and_dataset_in_use_stand_there_already(reader: Reader, add_config: Add) -> None:
    for name in ("sales", "costs"):
        add_config(name, google_cloud_project_id="team-project", bigquery_dataset_id="reports")
    begun = reader.ask("/add")
    assert values(begun, ("google_cloud_project_id", "bigquery_dataset_id")) == {
        "google_cloud_project_id": "team-project",
        "bigquery_dataset_id": "reports",
    }
    assert suggested(begun, "bigquery_dataset_id") == []


def test_of_several_projects_and_datasets_none_is_chosen_and_all_are_suggested(reader: Reader, add_config: Add) -> None:
    for number, dataset in enumerate(("few", "most", "most")):
        add_config(f"c{number}", google_cloud_project_id=f"project-{dataset}", bigquery_dataset_id=dataset)
    begun = reader.ask("/add")
    assert set(values(begun).values()) == {""}
    assert suggested(begun, "google_cloud_project_id") == ["project-most", "project-few"]
    assert suggested(begun, "bigquery_dataset_id") == ["most", "few"]


def test_usual_frequencies_are_suggested_where_one_is_asked_for(reader: Reader, add_config: Add) -> None:
    config_id = add_config()
    for path, field in (("/add", "run_frequency_hours"), (f"/configs/{config_id}/frequency", "hours")):
        assert suggested(reader.ask(path), field) == ["1", "3", "6", "12", "24", "168", "0"]
        assert '<option value="0">manual only</option>' in text(reader.ask(path))


def test_with_whom_the_sheet_is_to_be_shared_is_told_first(reader_of: Callable[..., Reader], reader: Reader) -> None:
    page = reader_of(SHARE_WITH="job@p.iam.gserviceaccount.com").page("/add")
    told = page.index('<code class="address">job@<span>p.iam.gserviceaccount.com</span></code>')
    assert page.index("1. Share the sheet") < told < page.index("2. Say what to load, and where")
    assert "2. Say" in page[: page.index("google_sheet_url")]
    assert "Share the sheet" not in reader.page("/add")


def test_types_and_options_reach_the_plan_and_the_saved_row(reader: Reader, store: Store, sql: Sql) -> None:
    schema = [{"name": "amount", "type": "NUMERIC"}]
    plan_id = made(
        reader,
        store,
        schema_handling="custom",
        custom_schema=json.dumps(schema),
        range="B3:F",
        header_row="3",
        load_mode="merge",
        merge_keys="id\r\nday\r\n",
    )
    options = {"range": "B3:F", "header_row": 3, "load_mode": "merge", "merge_keys": ["id", "day"]}
    asked = store.find_plan(plan_id)
    assert asked is not None
    assert {name: asked.config[name] for name in ("schema_handling", "custom_schema", "options")} == {
        "schema_handling": "custom",
        "custom_schema": schema,
        "options": options,
    }
    changed = reader.page("/add", plan=plan_id)
    assert re.findall(r'<details class="group" open>\s*<summary>(\w+)', changed) == ["Types", "Options"]
    assert 'name="header_row" value="3"' in changed
    reader.do(f"/plans/{plan_id}/save")
    (row,) = configs(sql)
    assert (row["schema_handling"], row["options"]) == ("custom", options)
    assert (row["custom_schema"][0]["name"], row["custom_schema"][0]["type"]) == ("amount", "NUMERIC")


def test_what_is_wrong_in_an_option_is_told_beside_it_and_its_section_is_open(reader: Reader) -> None:
    response = plan(reader, header_row="zwei", load_mode="merge")
    assert problem(response, "header_row").startswith("is text of 4 characters, not a whole number")
    assert values(response, ("header_row",)) == {"header_row": "zwei"}
    assert '<option value="merge" selected>' in text(response)
    (opened,) = re.findall(r'<details class="group" open>\s*<summary>(\w+)', text(response))
    assert (response.status_code, opened, reader.here.planned) == (400, "Options", [])


def test_a_problem_is_told_at_its_field_alone_and_the_top_leads_there(reader: Reader) -> None:
    response = plan(reader, bigquery_dataset_id="a-b")
    assert text(response).count("not a dataset's name") == 1
    assert '<li><a href="#field-bigquery_dataset_id">BigQuery dataset</a></li>' in text(response)


def test_a_plan_that_came_back_is_saved_as_the_jobs_config(reader: Reader, store: Store, sql: Sql) -> None:
    plan_id = made(reader, store, google_sheet_tab_name="Q1")
    response = reader.do(f"/plans/{plan_id}/save")
    (row,) = configs(sql)
    assert response.headers["Location"].startswith(f"/configs/{row['id']}?done=")
    told = {name: row[name] for name in ("name", "google_sheet_url", "google_sheet_tab_name", "bigquery_table_id")}
    assert told == {
        "name": "Sales by Quarter",
        "google_sheet_url": ADDRESS,
        "google_sheet_tab_name": "Q1",
        "bigquery_table_id": "sales_by_quarter",
    }
    assert (row["run_frequency_hours"], row["is_active"], row["schema_handling"]) == (6, True, "auto_detect")
    acted = done(response, store)
    assert (acted.action, acted.acted_by, acted.config_id) == ("add", WHO, row["id"])
    assert acted.details == {"plan_id": plan_id, "hours": 6}
    assert notice(reader, response).startswith('"Sales by Quarter" is saved. The next dispatch runs it')


def test_a_config_that_is_manual_only_is_promised_no_run(reader: Reader, store: Store) -> None:
    response = reader.do(f"/plans/{made(reader, store, run_frequency_hours='0')}/save")
    assert notice(reader, response).startswith('"Sales by Quarter" is saved. It is manual only')


@pytest.mark.parametrize(("hours", "kept"), [("", 24), ("0", 0), (" 168 ", 168)])
def test_the_frequency_is_as_it_was_filled_in_or_a_day(
    hours: str, kept: int, reader: Reader, store: Store, sql: Sql
) -> None:
    reader.do(f"/plans/{made(reader, store, run_frequency_hours=hours)}/save")
    assert configs(sql)[0]["run_frequency_hours"] == kept


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("google_sheet_url", "https://example.com/x", "cannot be used: it is not an address at docs.google.com"),
        ("google_sheet_url", "", "is missing"),
        ("google_sheet_url", "javascript:alert(1)", "cannot be used: it is not an address"),
        ("google_cloud_project_id", "X", "is text of 1 characters, not a project id"),
        ("bigquery_dataset_id", "a-b", "is text of 3 characters, not a dataset's name (letters, digits and _)"),
        ("bigquery_table_id", "a.b", "is text of 3 characters, not a table's name alone"),
        ("name", " ", "is missing"),
        ("name", "x" * 256, "is text of 256 characters, and 255 is the most"),
        ("google_sheet_url", URL + "x" * 2000, f"is text of {len(URL) + 2000} characters, and 2000 is the most"),
        ("google_sheet_tab_name", "ü" * 256, "is text of 256 characters, and 255 is the most"),
        ("bigquery_table_id", "x" * 256, "is text of 256 characters, and 255 is the most"),
        ("bigquery_dataset_id", "x" * 256, "is text of 256 characters, and 255 is the most"),
        ("run_frequency_hours", "-1", "give a whole number of hours, 0 (manual only) to 876000"),
        ("run_frequency_hours", "9" * 5000, "give a whole number of hours"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_in_the_words_of_the_terminal_and_nothing_typed_is_lost(
    field: str, value: str, told: str, reader: Reader, sql: Sql
) -> None:
    response = plan(reader, **{field: value})
    assert response.status_code == 400
    assert problem(response, field).startswith(told)
    assert values(response) == FILLED_IN | {field: value}
    assert (sql("SELECT * FROM sheet_to_bigquery_plans"), reader.here.planned) == ([], [])


def test_all_that_is_wrong_is_told_at_once(reader: Reader) -> None:
    response = plan(reader, google_sheet_url="x", bigquery_dataset_id="", run_frequency_hours="x")
    for field in ("google_sheet_url", "bigquery_dataset_id", "run_frequency_hours"):
        assert problem(response, field)
    assert text(response).count('aria-invalid="true"') == 3


def test_a_name_and_a_table_that_are_taken_are_told_beside_both_before_anything_is_planned(
    reader: Reader, add_config: Add
) -> None:
    config_id = add_config("Sales by Quarter", bigquery_table_id="sales_by_quarter")
    response = plan(reader)
    assert (response.status_code, reader.here.planned) == (400, [])
    assert f'replaced by config {config_id} "Sales by Quarter" already' in problem(response, "bigquery_table_id")
    assert problem(response, "name") == f'a config named "Sales by Quarter" exists already (config {config_id})'
    assert values(response) == FILLED_IN


def test_a_name_and_a_table_that_were_taken_meanwhile_are_told_when_it_is_saved(
    reader: Reader, store: Store, add_config: Add, sql: Sql
) -> None:
    plan_id = made(reader, store)
    add_config("Sales by Quarter", bigquery_table_id="sales_by_quarter")
    response = reader.do(f"/plans/{plan_id}/save", page="/add")
    assert (response.status_code, len(configs(sql))) == (400, 1)
    assert "already" in problem(response, "bigquery_table_id")
    assert "already" in problem(response, "name")
    assert values(response)["google_sheet_url"] == URL
    assert '<form method="post" action="/plans">' in text(response)


def test_a_form_whose_plan_cannot_be_published_comes_back_as_it_was(reader: Reader) -> None:
    reader.here.is_broken = True
    response = plan(reader)
    assert (response.status_code, values(response)) == (503, FILLED_IN)
    reader.here.is_broken = False
    assert plan(reader).status_code == 303


def test_a_plan_can_be_changed_and_asked_for_again(reader: Reader, store: Store) -> None:
    plan_id = made(reader, store, google_sheet_tab_name="Q1")
    shown = values(reader.ask("/add", query_string={"plan": plan_id}))
    assert (shown["google_sheet_url"], shown["google_sheet_tab_name"]) == (ADDRESS, "Q1")
    assert (shown["bigquery_table_id"], shown["run_frequency_hours"]) == ("sales_by_quarter", "6")
    for unknown in ("x", "00000000-0000-4000-8000-000000000000", "'; DROP"):
        assert reader.ask("/add", query_string={"plan": unknown}).status_code == 404


def test_a_form_sent_twice_makes_one_plan_and_a_corrected_one_another(reader: Reader) -> None:
    form = reader.form("/add")
    first, again = (reader.send("/plans", form, **FILLED_IN) for _ in range(2))
    assert first.headers["Location"] == again.headers["Location"]
    assert len(set(reader.here.planned)) == 1
    reader.send("/plans", form, **FILLED_IN | {"name": "Costs"})
    assert len(set(reader.here.planned)) == 2


def test_a_plan_is_saved_once_whatever_is_clicked_where(reader: Reader, store: Store, sql: Sql) -> None:
    plan_id = made(reader, store)
    forms = [reader.form("/add") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda form: reader.send(f"/plans/{plan_id}/save", form), forms))
    assert {each.status_code for each in sent} == {303}
    assert len({each.headers["Location"] for each in sent}) == 1
    assert len(configs(sql)) == 1


def test_what_has_not_been_planned_or_would_fail_is_not_saved(
    reader: Reader, store: Store, sql: Sql, add_config: Add
) -> None:
    waiting = plan(reader).headers["Location"].removeprefix("/plans/")
    failed = plan(reader, name="other").headers["Location"].removeprefix("/plans/")
    store.fail_plan(failed, ExecutionFailed("it died", "look"), store.now())
    config_id = add_config("there")
    reader.do(f"/configs/{config_id}/plan")
    (of_a_config,) = [each for each in reader.here.planned if each not in (waiting, failed)]
    for plan_id in (waiting, failed, of_a_config):
        response = reader.do(f"/plans/{plan_id}/save", page="/add")
        assert response.status_code == 409
        assert "none of a new config that would load" in text(response)
    assert len(configs(sql)) == 1


@pytest.mark.parametrize("mark", [False, True])
def test_it_is_the_jobs_where_the_older_service_has_configs_too(
    mark: bool, reader: Reader, store: Store, sql: Sql
) -> None:
    if mark:
        sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text")
    reader.do(f"/plans/{made(reader, store)}/save")
    assert configs(sql)[0].get("migration_status", "job_ready") == "job_ready"


def test_what_is_pasted_stays_text(reader: Reader, store: Store) -> None:
    hostile = "\"><script>alert(1)</script>{{ 7*7 }}'"
    response = plan(reader, **dict.fromkeys(FILLED_IN, hostile))
    html = response.get_data(as_text=True)
    assert html.count("<script") == 1
    assert values(response) == dict.fromkeys(FILLED_IN, hostile)
    plan_id = made(reader, store, name=hostile, bigquery_table_id="t", google_sheet_tab_name=NO_RUN + hostile)
    assert reader.ask("/add", query_string={"plan": plan_id}).get_data(as_text=True).count("<script") == 1


@pytest.mark.parametrize(("tab", "kept"), [("", "#gid=0"), ("Q2", "")])
def test_a_tab_that_is_named_goes_without_the_one_that_was_open(
    tab: str, kept: str, reader: Reader, store: Store
) -> None:
    plan(reader, google_sheet_tab_name=tab)
    asked = store.find_plan(reader.here.planned[0])
    assert asked is not None
    assert asked.config["google_sheet_url"] == f"{ADDRESS}{kept}"
