"""The migration's page shows each config's phase, its proof and what differed, and who changed owners."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.comparison import ColumnDifference, Compared, Differences, Verdict
from shared.ledger.connection import connect
from shared.ledger.store import Store
from shared.loaded import ColumnChange
from shared.settings import Database
from sql import tracking
from tests.integration.console.conftest import HOSTILE, Reader, assert_inert, refused
from tests.integration.console.moving import Moving

HOUR = timedelta(hours=1)
ACTIONS = ("promote", "rollback")
Add = Callable[..., Any]


@pytest.fixture
def started(migrated: Database) -> None:
    """Configs are marked; those that come later are the service's."""
    with connect(migrated) as connection:
        list(tracking.start(connection, migrated.configs_table, "service"))


@pytest.fixture
def compare(store: Store, add_run: Add, now: datetime) -> Callable[..., None]:
    """Notes a comparison of a config's two tables."""

    def note(config_id: int, verdict: Verdict, number: int, differences: Differences | None = None) -> None:
        at = now - HOUR + number * timedelta(minutes=1)
        run_id = add_run(config_id, at, why="shadow", verdict="loaded")
        table = store.list_owned([config_id])[0].table
        store.record_comparison(
            Compared(config_id, "sales", at, table, "p.d_shadow.t", verdict, run_id, at, at, 1000, 999, differences)
        )

    return note


def told(reader: Reader, **asked: Any) -> dict[int, dict[str, Any]]:
    return {each["owned"]["id"]: each for each in reader.facts("/migration.json", **asked)["configs"]}


def test_before_it_begins_it_says_what_it_is_and_what_starts_it(reader: Reader, add_config: Add) -> None:
    add_config()
    facts = reader.facts("/migration.json")
    assert (facts["started"], facts["configs"], facts["changes"]) == (False, [], [])
    text = reader.words("/migration")
    assert "No migration is going on here" in text
    assert "It begins with python migrate.py start" in text
    assert "3 comparisons in a row" in text


@pytest.mark.usefixtures("started")
def test_it_counts_the_phases_and_filters_by_them(reader: Reader, store: Store, add_config: Add) -> None:
    ids = [add_config(f"c{number}") for number in range(4)]
    store.set_owner(ids[2:3], ["service"], "shadow", "ann@example.com", None)
    store.set_owner(ids[3:], ["service"], "job_ready", "ann@example.com", "proved elsewhere")
    facts = reader.facts("/migration.json")
    assert facts["counts"] == {"service": 2, "shadow": 1, "job_ready": 1}
    # What is on its way comes first.
    assert [each["owned"]["id"] for each in facts["configs"]] == [ids[2], ids[0], ids[1], ids[3]]
    assert list(told(reader, phase="job_ready")) == ids[3:]
    assert list(told(reader, search="c1")) == [ids[1]]
    assert list(told(reader, search=str(ids[0]), phase="shadow")) == []
    assert reader.ask("/migration?phase=nosuch").status_code == 400
    assert 'href="/migration?phase=shadow"' in reader.page("/migration")


@pytest.mark.usefixtures("started")
def test_what_comes_next_is_told_while_the_older_service_has_configs(
    reader: Reader, store: Store, add_config: Add
) -> None:
    config_id = add_config()
    assert "python migrate.py shadow NAME" in reader.words("/migration")
    store.set_owner([config_id], ["service"], "shadow", "ann@example.com", None)
    assert "python migrate.py shadow NAME" not in reader.words("/migration")


@pytest.mark.usefixtures("started")
def test_a_shadows_matches_are_told_of_those_that_are_needed(
    reader_of: Callable[..., Reader], store: Store, add_config: Add, compare: Callable[..., None]
) -> None:
    reader = reader_of(MIGRATION_MATCHES="5")
    config_id, other = add_config(), add_config("other")
    store.set_owner([config_id], ["service"], "shadow", "ann@example.com", None)
    for number, verdict in enumerate(("MISMATCH", "MATCH", "MATCH")):
        compare(config_id, verdict, number)
    shown = told(reader)
    assert (shown[config_id]["matches"], shown[config_id]["compared"]["verdict"]) == (2, "MATCH")
    assert (shown[other]["matches"], shown[other]["compared"]) == (None, None)
    text = reader.words("/migration")
    assert "2 of 5" in text
    assert "MATCH now 1,000 rows there, 999 here" in text


@pytest.mark.usefixtures("started")
def test_differences_are_columns_and_counts(
    reader: Reader, store: Store, add_config: Add, compare: Callable[..., None]
) -> None:
    config_id = add_config()
    store.set_owner([config_id], ["service"], "shadow", "ann@example.com", None)
    differences = Differences(
        (ColumnChange("day", "STRING NULLABLE", None),), (ColumnDifference("units", 1, 2, True),), True, True
    )
    compare(config_id, "MISMATCH", 0, differences)
    text = reader.words("/migration")
    assert "gone day STRING NULLABLE" in text
    assert "units: 1 NULL there, 2 here; other values" in text
    assert "not in the same rows" in text
    assert told(reader)[config_id]["compared"]["differences"]["columns"][0]["name"] == "units"


@pytest.mark.usefixtures("started")
def test_what_was_compared_before_the_owner_changed_is_not_told(
    reader: Reader, store: Store, add_config: Add, compare: Callable[..., None]
) -> None:
    config_id = add_config()
    store.set_owner([config_id], ["service"], "shadow", "ann@example.com", None)
    compare(config_id, "MATCH", 0)
    store.set_owner([config_id], ["shadow"], "service", "ann@example.com", "not yet")
    assert told(reader)[config_id]["compared"] is None


def test_the_audit_tells_who_began_it(reader: Reader, migrated: Database) -> None:
    with connect(migrated) as connection:
        list(tracking.start(connection, migrated.configs_table, actor="ana@desk"))
    assert "the migration began by ana@desk: a config that others add is service" in reader.words("/migration")


@pytest.mark.usefixtures("started")
def test_the_audit_tells_who_changed_what_and_why(reader: Reader, store: Store, add_config: Add) -> None:
    config_id = add_config()
    store.set_owner([config_id], ["service"], "shadow", "ann@example.com", None)
    store.set_owner([config_id], ["shadow"], "service", "bob@example.com", "the sheet is odd")
    changes = reader.facts("/migration.json")["changes"]
    assert [(each["after"], each["changed_by"]) for each in changes] == [
        ("service", "bob@example.com"),
        ("shadow", "ann@example.com"),
    ]
    assert "sales from shadow to service by bob@example.com: the sheet is odd" in reader.words("/migration")


def test_what_is_proved_is_promoted_from_here_and_what_was_taken_rolled_back(
    reader: Reader, reader_of: Callable[..., Reader], moving: Moving
) -> None:
    proved, waits, jobs, services = (
        moving.config(owner, owner + str(place), bigquery_table_id=f"t{place}")
        for place, owner in enumerate(("shadow", "shadow", "job_ready", "service"))
    )
    moving.compared(proved, "MATCH", "MATCH", "MATCH")
    moving.compared(waits, "MATCH", "MATCH")
    assert [config_id for config_id, each in told(reader).items() if each["is_proved"]] == [proved]
    html = reader.page("/migration")
    offered = [f"/configs/{each}/{action}" for action in ACTIONS for each in (proved, waits, jobs, services)]
    assert [each for each in offered if f'href="{each}"' in html] == [
        f"/configs/{proved}/promote",
        *(f"/configs/{each}/rollback" for each in (proved, waits, jobs)),
    ]
    viewer = reader_of("bob@example.com", CONSOLE_EDITORS="ann@example.com")
    assert "/promote" not in viewer.page("/migration")


def test_a_config_that_matches_and_shares_its_table_is_not_proved(reader: Reader, moving: Moving) -> None:
    config_id = moving.config("shadow")
    moving.compared(config_id, "MATCH", "MATCH", "MATCH")
    assert told(reader)[config_id]["is_proved"]
    moving.config("service", "twin", bigquery_table_id="sales")
    assert not told(reader)[config_id]["is_proved"]
    assert "replaces the same table" in refused(reader, f"/configs/{config_id}/promote")


@pytest.mark.usefixtures("started")
def test_the_last_loads_of_both_are_told(
    reader: Reader, store: Store, add_config: Add, add_run: Add, sql: Add, now: datetime
) -> None:
    config_id = add_config()
    store.set_owner([config_id], ["service"], "shadow", "ann@example.com", None)
    add_run(config_id, now - 2 * HOUR, why="shadow", state="failed")
    sql(
        """INSERT INTO sheet_to_bigquery_forwards
               (message_id, config_id, destination, begun_at, open_until, ended_at, status)
           VALUES ('m', :id, 'd', :at, :at, :at, 500)""",
        id=config_id,
        at=now - 3 * HOUR,
    )
    owned = told(reader)[config_id]["owned"]
    assert (owned["service_status"], owned["shadow_state"], owned["job_at"]) == (500, "failed", None)
    assert "3 h ago answered 500 2 h ago failed –" in reader.words("/migration")


@pytest.mark.usefixtures("started")
def test_it_gives_fifty_a_page(reader: Reader, sql: Add) -> None:
    sql(
        """INSERT INTO sheet_to_bigquery_configs
               (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id, bigquery_table_id)
           SELECT 'c' || n, 'u', 'test-project', 'd', 't' || n FROM generate_series(1, 120) n"""
    )
    first, third = told(reader), told(reader, page=3)
    assert (len(first), len(third), reader.facts("/migration.json")["pages"]) == (50, 20, 3)
    assert not set(first) & set(third)
    assert 'href="/migration?search=c&amp;page=3"' in reader.page("/migration", search="c", page=2)


@pytest.mark.usefixtures("started")
def test_hostile_names_and_reasons_are_inert(
    reader: Reader, store: Store, add_config: Add, compare: Callable[..., None]
) -> None:
    config_id = add_config(HOSTILE, bigquery_table_id="<i>")
    store.set_owner([config_id], ["service"], "shadow", HOSTILE, HOSTILE)
    changes = (ColumnChange(HOSTILE, "<u>", "<i>"),)
    compare(config_id, "MISMATCH", 0, Differences(changes, (ColumnDifference(HOSTILE, 1, 2, True),)))
    assert_inert(reader.page("/migration", search="<script>"))
