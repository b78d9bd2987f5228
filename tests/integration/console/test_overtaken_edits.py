"""Of two people who change a config at one time, neither loses what they did: one is told of the other's."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.config import parse_config
from shared.ledger.connection import Session, connect
from shared.ledger.store import Store
from shared.messages import ManualRequest
from shared.plan import Plan
from shared.settings import Database
from tests.integration.console.conftest import WHO, Reader, actions, row, text, wait_for_a_lock
from tests.integration.console.test_adding import problem
from tests.integration.console.test_editing import NEW_URL, edit, plan, value

Add = Callable[..., Any]
Sql = Callable[..., Any]


def test_what_somebody_else_changed_meanwhile_is_told_beside_the_own_words_and_saved_when_sent_again(
    reader: Reader, add_config: Add, sql: Sql
) -> None:
    config_id = add_config("Sales", google_sheet_tab_name="Q1", options='{"on_empty": "keep"}')
    here = f"/configs/{config_id}/edit"
    form = reader.form(here)
    sql(
        "UPDATE sheet_to_bigquery_configs SET google_sheet_tab_name = 'Q3', bigquery_table_id = 'theirs',"
        " options = '{}' WHERE id = :id",
        id=config_id,
    )
    before = row(sql, config_id)
    response = reader.send(here, form, google_sheet_tab_name="Q2", google_sheet_url=NEW_URL, bigquery_table_id="Sales")
    assert (response.status_code, row(sql, config_id), actions(sql)) == (409, before, [])
    assert problem(response, "google_sheet_tab_name") == 'was changed meanwhile, and is "Q3" now'
    assert problem(response, "bigquery_table_id") == 'was changed meanwhile, and is "theirs" now'
    assert problem(response, "on_empty") == 'was changed meanwhile, and is "fail" now'
    # One's own words stay; what one left alone is as it is by now, so that sending again takes nothing back.
    kept = {
        field: value(response, field) for field in ("google_sheet_tab_name", "google_sheet_url", "bigquery_table_id")
    }
    assert kept == {"google_sheet_tab_name": "Q2", "google_sheet_url": NEW_URL, "bigquery_table_id": "theirs"}
    shown = text(response).partition('name="shown" value="')[2].partition('"')[0]
    again = reader.send(here, reader.form(here) | {"shown": shown}, **kept)
    assert again.status_code == 303
    after = row(sql, config_id)
    assert (after["google_sheet_tab_name"], after["bigquery_table_id"], after["options"]) == ("Q2", "theirs", {})


def test_a_change_at_the_very_moment_of_saving_is_not_lost(store: Store, add_config: Add, sql: Sql) -> None:
    config_id = add_config("Sales")
    read = store.find_config(ManualRequest(config_id=config_id))
    sql("UPDATE sheet_to_bigquery_configs SET google_sheet_tab_name = 'Q3' WHERE id = :id", id=config_id)
    assert not store.edit_config(parse_config(read | {"name": "x"}), read, {"name": "x"}, WHO)
    assert row(sql, config_id)["name"] == "Sales"
    # What nobody edits here, a run's end say, is in nobody's way.
    read = store.find_config(ManualRequest(config_id=config_id))
    sql("UPDATE sheet_to_bigquery_configs SET last_run = now() WHERE id = :id", id=config_id)
    assert store.edit_config(parse_config(read | {"name": "x"}), read, {"name": "x"}, WHO)
    # Whose table it is decides what a person has to know.
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text DEFAULT 'service'")
    assert not store.edit_config(parse_config(read | {"name": "y"}), read | {"name": "x"}, {"name": "y"}, WHO)


@pytest.mark.parametrize("is_planned", [False, True])
def test_whose_table_it_became_meanwhile_is_told_before_anything_is_saved(
    is_planned: bool, reader: Reader, add_config: Add, sql: Sql, store: Store
) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text")
    config_id = add_config(migration_status="job_ready", google_sheet_tab_name="Q1")
    page = address = f"/configs/{config_id}/edit"
    if is_planned:
        plan_id = plan(reader, config_id, google_sheet_tab_name="Q2")
        assert store.claim_plan(plan_id, store.now())
        assert store.close_plan(plan_id, "e", Plan(tab="Q2", rows=3), store.now())
        page, address = f"/plans/{plan_id}", f"/plans/{plan_id}/apply"
    form = reader.form(page)
    sql("UPDATE sheet_to_bigquery_configs SET migration_status = 'service'")
    response = reader.send(address, form, **({} if is_planned else {"google_sheet_tab_name": "Q2"}))
    assert (response.status_code, row(sql, config_id)["google_sheet_tab_name"]) == (409, "Q1")
    assert "somebody changed the owner of the table of config" in text(response)
    assert "The older service loads the table of this config" in text(response)
    assert value(response, "google_sheet_tab_name") == "Q2"
    assert edit(reader, config_id, google_sheet_tab_name="Q2").status_code == 303


def test_a_shadow_is_not_moved_onto_the_table_that_another_config_gets_at_that_moment(
    reader: Reader, add_config: Add, migrated: Database, sql: Sql
) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text")
    other, config_id = add_config("other", migration_status="service"), add_config("Sales", migration_status="shadow")
    moved = {"bigquery_dataset_id": f"plain{reader.here.settings.shadow_suffix}", "bigquery_table_id": "t"}
    with connect(migrated) as connection, ThreadPoolExecutor() as threads:
        session = Session(connection, migrated.configs_table)
        with session.transaction():
            first = Store(session)
            read = first.find_config(ManualRequest(config_id=other))
            assert first.edit_config(parse_config(read | moved), read, moved, "bob@example.com")
            wanted = {"bigquery_dataset_id": "plain", "bigquery_table_id": "t"}
            sent = threads.submit(edit, reader, config_id, **wanted)
            wait_for_a_lock(sql)
        response = sent.result()
    assert response.status_code == 400
    assert f'which is the table of config {other} "other"' in text(response)
    assert row(sql, config_id)["bigquery_dataset_id"] == "reports"
