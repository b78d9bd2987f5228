"""The pages offer what can be done with what they show, and nothing else; and tell what was done there lately."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from shared.ledger.store import Store
from shared.plan import Plan, PlanError
from tests.integration.console.conftest import WHO, Reader, asked_for, refused, text
from tests.integration.console.moving import Moving

Add = Callable[..., Any]
Sql = Callable[..., Any]
_FORM = re.compile(r'<div class="actions" data-region="actions">.*?</form>', re.DOTALL)
_OFFER = re.compile(r'(?:formaction|class="button" href)="([^"]*)"[^>]*>([^<]*)<')


@pytest.fixture
def now(store: Store) -> datetime:
    return store.now()


def offers(reader: Reader, page: str) -> dict[str, str]:
    """What a page offers, by its words, with where it leads."""
    form = _FORM.search(reader.page(page))
    return {label: address for address, label in _OFFER.findall(form[0])} if form else {}


def test_a_config_is_run_planned_paused_and_made_to_run_at_other_times(reader: Reader, add_config: Add) -> None:
    here = f"/configs/{add_config()}"
    assert offers(reader, here) == {
        "Run now": f"{here}/run",
        "Plan": f"{here}/plan",
        "Edit": f"{here}/edit",
        "Change frequency": f"{here}/frequency",
        "Pause": f"{here}/pause",
    }


def test_a_paused_config_is_resumed_and_not_run(reader: Reader, add_config: Add) -> None:
    offered = offers(reader, f"/configs/{add_config(is_active=False)}")
    assert list(offered) == ["Plan", "Edit", "Change frequency", "Resume"]


def test_each_open_run_can_be_cancelled_from_its_configs_page_and_its_own(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    run_id = add_run(config_id, now, state="pending")
    assert offers(reader, f"/configs/{config_id}")["Cancel the run"] == f"/runs/{run_id}/cancel"
    assert offers(reader, f"/runs/{run_id}") == {"Cancel the run": f"/runs/{run_id}/cancel"}


def test_a_run_is_tried_again_where_that_can_help(reader: Reader, add_config: Add, add_run: Add, now: datetime) -> None:
    config_id, paused = add_config(), add_config("paused", is_active=False)
    failed = add_run(config_id, now, state="failed")
    assert offers(reader, f"/runs/{failed}") == {"Run again": f"/runs/{failed}/retry"}
    for run_id in (
        add_run(config_id, now, why="manual", verdict="loaded"),
        add_run(paused, now, state="failed"),
        add_run(404, now, state="failed"),
    ):
        assert offers(reader, f"/runs/{run_id}") == {}


@pytest.mark.parametrize(
    ("owner", "matches", "offered"),
    [
        ("service", 0, ["Plan", "Edit", "Change frequency", "Pause"]),
        ("shadow", 2, ["Plan", "Edit", "Change frequency", "Pause", "Roll back"]),
        ("shadow", 3, ["Plan", "Edit", "Change frequency", "Pause", "Promote", "Roll back"]),
        ("job_ready", 0, ["Run now", "Plan", "Edit", "Change frequency", "Pause", "Roll back"]),
    ],
)
def test_while_a_team_moves_the_owner_and_the_proof_decide(
    owner: str, matches: int, offered: list[str], reader: Reader, moving: Moving
) -> None:
    config_id = moving.config(owner)
    moving.compared(config_id, *["MATCH"] * matches)
    assert list(offers(reader, f"/configs/{config_id}")) == offered


def test_a_mark_that_nobody_tracks_lets_nobody_promote(
    reader: Reader, add_config: Add, sql: Callable[..., Any]
) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text")
    config_id = add_config(migration_status="shadow")
    assert list(offers(reader, f"/configs/{config_id}")) == ["Plan", "Edit", "Change frequency", "Pause"]


def test_a_plan_of_what_cannot_run_offers_no_run(reader: Reader, store: Store, add_config: Add) -> None:
    config_id, paused = add_config(), add_config("paused", is_active=False)
    for each, offered in ((config_id, ["Plan again", "Run now"]), (paused, ["Plan again"]), (404, [])):
        plan_id = store.request_plan({}, each, WHO, store.now())
        store.claim_plan(plan_id, store.now())
        store.close_plan(plan_id, "e", Plan(rows=1), store.now())
        assert list(offers(reader, f"/plans/{plan_id}")) == offered


def test_a_run_of_what_cannot_run_is_refused_before_it_is_sent(reader: Reader, moving: Moving, add_config: Add) -> None:
    config_id, paused = moving.config("service"), add_config("paused", is_active=False)
    assert "the older service loads the table" in refused(reader, f"/configs/{config_id}/run")
    assert "resume it first" in refused(reader, f"/configs/{paused}/run")


def test_a_plan_is_saved_once_it_came_back_and_opened_once_it_is_saved(
    reader: Reader, store: Store, add_config: Add
) -> None:
    candidate = {
        "name": "new",
        "google_sheet_url": "https://docs.google.com/spreadsheets/d/abcdefghij/edit",
        "google_cloud_project_id": "test-project",
        "bigquery_dataset_id": "reports",
        "bigquery_table_id": "new",
    }
    plan_id, failed = (store.request_plan(candidate, None, WHO, store.now()) for _ in range(2))
    here = f"/plans/{plan_id}"
    assert offers(reader, here) == {}
    for each, plan in ((plan_id, Plan(rows=1)), (failed, Plan(errors=(PlanError("TabNotFound", "no tab"),)))):
        store.claim_plan(each, store.now())
        store.close_plan(each, "e", plan, store.now())
    assert offers(reader, f"/plans/{failed}") == {"Change it": f"/add?plan={failed}"}
    assert offers(reader, here) == {"Save this config": f"{here}/save", "Change it": f"/add?plan={plan_id}"}
    there = reader.do(f"{here}/save", page=here).headers["Location"].partition("?")[0]
    assert offers(reader, here) == {"Open the config": there}


def test_who_may_only_look_is_offered_nothing_and_told_what_was_done(
    reader: Reader, reader_of: Callable[..., Reader], add_config: Add
) -> None:
    here = f"/configs/{add_config()}"
    reader.do(f"{here}/pause", reason="the <i>sheet</i> moves")
    viewer = reader_of("bob@example.com", CONSOLE_EDITORS=WHO)
    assert offers(viewer, here) == {}
    assert f"pause by {WHO}: the <i>sheet</i> moves" in viewer.words(here)
    assert "<i>" not in viewer.page(here)


def test_an_edit_is_planned_by_its_main_button_and_saved_by_the_other(reader: Reader, add_config: Add) -> None:
    here = f"/configs/{add_config()}"
    (sent,) = re.findall(r'<div class="send">(.*?)</div>', reader.page(f"{here}/edit"), re.DOTALL)
    assert re.findall(r"<button([^>]*)>([^<]*)<", sent) == [
        (f' class="main" formaction="{here}/edit/plan"', "Plan it first"),
        ("", "Save"),
    ]


def test_what_is_pressed_on_a_configs_page_is_done(reader: Reader, add_config: Add, sql: Sql) -> None:
    here = f"/configs/{add_config('Sales')}"
    there = reader.do(f"{here}/run", page=here).headers["Location"]
    assert asked_for(sql) == [int(here.rpartition("/")[2])]
    assert 'The run of "Sales" that was asked for is waiting.' in text(reader.ask(there))
    assert 'data-region="notice" data-live="2"' in text(reader.ask(there))
