"""An edit is planned before it is saved, and saved from its plan once, against what was shown when it was planned."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.ledger.store import Store
from shared.plan import Plan, PlanError
from tests.integration.console.conftest import Reader, actions, done, row, text
from tests.integration.console.test_adding import problem
from tests.integration.console.test_editing import plan, value

Add = Callable[..., Any]
Sql = Callable[..., Any]


def come_back(store: Store, plan_id: str, made: Plan | None = None) -> None:
    assert store.claim_plan(plan_id, store.now())
    assert store.close_plan(plan_id, "e", made or Plan(tab="Q2", rows=3), store.now())


def test_an_edit_is_planned_shown_and_saved_from_its_plan_once(
    reader: Reader, add_config: Add, sql: Sql, store: Store
) -> None:
    url = "https://docs.google.com/spreadsheets/d/abcdefghij/edit"
    config_id = add_config("Sales", google_sheet_url=url, google_sheet_tab_name="Q1", options='{"on_empty": "keep"}')
    before = row(sql, config_id)
    plan_id = plan(reader, config_id, google_sheet_tab_name="Q2", on_empty="empty", max_shrink="0.1")
    assert (reader.here.planned, row(sql, config_id), actions(sql)) == ([plan_id], before, ["plan"])
    asked = store.find_plan(plan_id)
    assert asked is not None
    assert (asked.config_id, asked.config["google_sheet_tab_name"]) == (config_id, "Q2")
    page = f"/plans/{plan_id}"
    assert "Edited tab Q1 → Q2 max_shrink – → 0.1 on_empty keep → empty" in reader.words(page)
    come_back(store, plan_id)
    assert "Save this edit" in reader.words(page)
    forms = [reader.form(page) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        sent = list(pool.map(lambda form: reader.send(f"{page}/apply", form), forms))
    assert {each.status_code for each in sent} == {303}
    after = row(sql, config_id)
    changed = {"google_sheet_tab_name": "Q2", "options": {"on_empty": "empty", "max_shrink": 0.1}}
    assert after == before | changed | {"updated_at": after["updated_at"]}
    acted = done(sent[0], store)
    assert (acted.action, acted.details["plan_id"], set(acted.details["changed"])) == ("edit", plan_id, {*changed})
    assert actions(sql) == ["plan", "edit"]
    assert "Open the config" in reader.words(page)


def test_a_plan_of_an_edit_is_not_saved_over_somebody_elses(
    reader: Reader, add_config: Add, sql: Sql, store: Store
) -> None:
    config_id = add_config("Sales", google_sheet_tab_name="Q1")
    plan_id = plan(reader, config_id, google_sheet_tab_name="Q2")
    come_back(store, plan_id)
    sql("UPDATE sheet_to_bigquery_configs SET bigquery_table_id = 'theirs' WHERE id = :id", id=config_id)
    response = reader.do(f"/plans/{plan_id}/apply", page=f"/plans/{plan_id}")
    assert (response.status_code, row(sql, config_id)["google_sheet_tab_name"]) == (409, "Q1")
    assert problem(response, "bigquery_table_id") == 'was changed meanwhile, and is "theirs" now'
    assert (value(response, "google_sheet_tab_name"), value(response, "bigquery_table_id")) == ("Q2", "theirs")
    assert f'action="/configs/{config_id}/edit"' in text(response)


def test_what_would_fail_or_is_no_edit_is_not_saved_and_can_be_changed(
    reader: Reader, add_config: Add, sql: Sql, store: Store
) -> None:
    config_id = add_config("Sales")
    failed = plan(reader, config_id, google_sheet_tab_name="Q2", on_empty="keep")
    come_back(store, failed, Plan(errors=(PlanError("TabNotFound", "no tab"),)))
    waiting = plan(reader, config_id, google_sheet_tab_name="Q3")
    reader.do(f"/configs/{config_id}/plan")
    as_it_is = reader.here.planned[-1]
    for plan_id in (failed, waiting, as_it_is):
        response = reader.do(f"/plans/{plan_id}/apply", page="/")
        assert response.status_code == 409
        assert "none of an edit that would load" in text(response)
    assert actions(sql) == ["plan"] * 3
    again = f"/configs/{config_id}/edit?plan={failed}"
    assert again in text(reader.ask(f"/plans/{failed}"))
    form = reader.ask(f"/configs/{config_id}/edit", query_string={"plan": failed})
    assert (value(form, "google_sheet_tab_name"), value(form, "on_empty")) == ("Q2", "keep")
    assert reader.ask("/plans/00000000-0000-4000-8000-000000000000/apply").status_code == 404
