"""What there is to tell of one run, from what the ledger holds of it."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.loaded import ColumnChange
from shared.run_facts import Wait, find_facts

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SHEET = "https://docs.google.com/spreadsheets/d/abcdefghij/edit"
CLAIMED = {
    "attempt": 2,
    "admitted_at": NOON + MINUTE,
    "claimed_at": NOON + 2 * MINUTE,
    "had_last_run": False,
    "job_project": "team-1",
    "job_location": "US",
    "execution": "projects/team-1/locations/us-central1/jobs/j/executions/e-1",
    "lease_until": NOON,
    "deadline": NOON,
}


@pytest.fixture
def add_load(add_run, sql):
    """A run that loaded these columns, by `{name: type}`, into the config's table."""

    def add(config_id, slot, columns, **values):
        values = {"verdict": "loaded", "destination": "p.d.t"} | values
        run_id = add_run(config_id, slot, **values)
        told = json.dumps([{"name": name, "type": kind, "mode": "NULLABLE"} for name, kind in columns.items()])
        sql("UPDATE sheet_to_bigquery_runs SET columns = CAST(:told AS jsonb) WHERE id = :id", told=told, id=run_id)
        return run_id

    return add


def test_columns_are_told_with_what_changed_since_the_load_before(store, add_config, add_load) -> None:
    config = add_config()
    add_load(config, NOON - 2 * HOUR, {"oldest": "STRING"})
    former = add_load(config, NOON - HOUR, {"id": "INT64", "units": "INT64", "gone": "DATE"})
    add_load(config, NOON - MINUTE, {"elsewhere": "STRING"}, destination="p.d.other")
    run_id = add_load(config, NOON, {"id": "INT64", "Units": "STRING", "paid": "BOOL"})
    add_load(config, NOON + HOUR, {"later": "STRING"})
    facts = find_facts(run_id, store)
    assert facts.former.id == former
    assert [column.told for column in facts.columns] == ["INT64 NULLABLE", "STRING NULLABLE", "BOOL NULLABLE"]
    assert facts.changes == (
        ColumnChange("Units", "INT64 NULLABLE", "STRING NULLABLE"),
        ColumnChange("paid", None, "BOOL NULLABLE"),
        ColumnChange("gone", "DATE NULLABLE", None),
    )


def test_the_load_of_a_run_that_goes_on_has_the_newest_load_before_it(store, add_config, add_load, add_run) -> None:
    config = add_config()
    former = add_load(config, NOON, {"id": "INT64"})
    facts = find_facts(add_run(config, NOON + HOUR, state="running", destination="p.d.t", **CLAIMED), store)
    assert (facts.former.id, facts.columns, facts.changes) == (former, (), ())


def test_a_load_that_was_recorded_late_comes_behind_what_ended_before_it(store, sql, add_config, add_load) -> None:
    config = add_config()
    first = add_load(config, NOON, {"id": "INT64"})
    # Its time was taken before the other's, and it was written down, and ran, behind that.
    late = add_load(config, NOON + MINUTE, {"id": "INT64"}, created_at=NOON - MINUTE)
    assert (find_facts(late, store).former.id, find_facts(first, store).former) == (first, None)


def test_another_configs_load_of_the_table_is_no_former_one(store, add_config, add_load) -> None:
    add_load(add_config("other"), NOON - HOUR, {"id": "INT64"})
    assert find_facts(add_load(add_config("own"), NOON, {"id": "INT64"}), store).former is None


def test_a_refused_change_of_columns_is_told_as_the_job_told_it(store, sql, add_config, add_load, add_run) -> None:
    config = add_config()
    add_load(config, NOON, {"id": "INT64"})
    run_id = add_run(config, NOON + HOUR, state="failed", destination="p.d.t", error_class="SchemaDrifted", error="x")
    sql(
        "UPDATE sheet_to_bigquery_runs SET schema_changes = CAST(:told AS jsonb) WHERE id = :id",
        told='[{"name": "paid", "after": "BOOL NULLABLE"}]',
        id=run_id,
    )
    assert find_facts(run_id, store).changes == (ColumnChange("paid", None, "BOOL NULLABLE"),)


def test_errors_and_warnings_have_the_links_of_their_cells(store, sql, add_config, add_run) -> None:
    error = f"1 cell is in error: Data!C17 ({SHEET}#gid=3&range=C17): correct its formula"
    run_id = add_run(add_config(), NOON, state="failed", error_class="TooManyErrors", error=error)
    told = json.dumps(["1 blank row between others left out", "Data!A1 and Data!B1 give the same name"])
    sql("UPDATE sheet_to_bigquery_runs SET warnings = CAST(:told AS jsonb)", told=told)
    facts = find_facts(run_id, store)
    assert (facts.error.text, [cell.link for cell in facts.error.cells]) == (error, [f"{SHEET}#gid=3&range=C17"])
    # Without an address in the text, by the config's own gid.
    assert [[cell.link for cell in warning.cells] for warning in facts.warnings] == [
        [],
        [f"{SHEET}#gid=0&range=A1", f"{SHEET}#gid=0&range=B1"],
    ]


@pytest.mark.parametrize(
    ("error", "remedy", "told"),
    [
        ("no row: Data!A1: fill it", "fill it", ("no row: Data!A1", "fill it")),
        # An older job's: its end says it.
        ("no row: fill it", None, ("no row: fill it", None)),
        # What was cut off, or told otherwise, is told as it is.
        ("no row", "fill it", ("no row", "fill it")),
    ],
)
def test_what_to_do_about_an_error_is_told_by_itself(error, remedy, told, store, add_config, add_run) -> None:
    failed = {"error_class": "EmptySheet", "error": error, "remedy": remedy}
    facts = find_facts(add_run(add_config(), NOON, state="failed", **failed), store)
    assert (facts.error.text, facts.remedy and facts.remedy.text) == told


def test_the_times_are_those_of_the_newest_attempt(store, add_config, add_run) -> None:
    done = add_run(add_config(), NOON, ended_at=NOON + 5 * MINUTE, **{**CLAIMED, "execution": None})
    waits = find_facts(done, store).waits
    assert waits == (
        Wait("waiting", NOON, NOON + MINUTE),
        Wait("queued", NOON + MINUTE, NOON + 2 * MINUTE),
        Wait("running", NOON + 2 * MINUTE, NOON + 5 * MINUTE),
    )
    assert [wait.seconds for wait in waits] == [60.0, 60.0, 180.0]


@pytest.mark.parametrize(
    ("state", "values", "told"),
    [
        ("pending", {}, ["waiting"]),
        # It was at work before, and waits for its next attempt.
        ("pending", CLAIMED, ["waiting"]),
        ("queued", {"admitted_at": NOON + MINUTE}, ["waiting", "queued"]),
        ("queued", CLAIMED | {"admitted_at": NOON + HOUR}, ["waiting", "queued"]),
        ("running", CLAIMED, ["waiting", "queued", "running"]),
        ("cancelled", {}, ["waiting"]),
    ],
)
def test_what_an_open_run_is_at_goes_on(state, values, told, store, add_config, add_run) -> None:
    waits = find_facts(add_run(add_config(), NOON, state=state, **values), store).waits
    assert [wait.name for wait in waits] == told
    assert (waits[-1].until is None) == (state != "cancelled")
    assert all(before.until == after.since for before, after in itertools.pairwise(waits))


def test_a_run_links_to_all_that_belongs_to_it(store, add_config, add_run) -> None:
    run_id = add_run(add_config(), NOON, state="running", destination="p.d.t", **CLAIMED)
    found = find_facts(run_id, store).links
    assert found.spreadsheet == f"{SHEET}#gid=0"
    assert found.table.endswith("?p=p&d=d&t=t&page=table")
    assert f"j=bq:US:sheet_to_bigquery_{run_id}_2&" in found.job
    assert "/us-central1/e-1/" in found.execution
    assert "e-1" in found.logs


def test_a_run_that_never_began_and_whose_config_is_gone_links_to_its_table_alone(store, add_run) -> None:
    facts = find_facts(add_run(404, NOON, state="pending", destination="p.d.t"), store)
    assert (facts.links.spreadsheet, facts.links.job, facts.links.execution, facts.links.logs) == (None,) * 4
    assert facts.links.table is not None


@pytest.mark.parametrize("url", ["", "no address", "https://evil.example/spreadsheets/d/x/edit"])
def test_an_address_that_is_no_spreadsheets_is_no_link(url, store, add_config, add_run) -> None:
    assert find_facts(add_run(add_config(google_sheet_url=url), NOON), store).links.spreadsheet is None


def test_nobodys_id_has_no_facts(store) -> None:
    assert find_facts("00000000-0000-0000-0000-000000000000", store) is None


def test_a_configs_runs_come_newest_first_the_open_ones_too(store, add_config, add_run) -> None:
    config, other = add_config("own"), add_config("other")
    ended = [add_run(config, NOON + number * HOUR) for number in range(3)]
    add_run(other, NOON + 9 * HOUR)
    waiting = add_run(config, NOON + 4 * HOUR, state="pending")
    running = add_run(config, NOON + 3 * HOUR, state="running", **CLAIMED)
    assert [run.id for run in store.list_runs_of(config, 9)] == [waiting, running, *reversed(ended)]
    assert [run.id for run in store.list_runs_of(config, 2)] == [waiting, running]


def test_a_look_at_what_goes_on_tells_the_longest_first_and_what_ended_since(store, add_config, add_run) -> None:
    configs = [add_config(name) for name in "abcde"]
    second = add_run(configs[0], NOON, state="running", **CLAIMED | {"claimed_at": NOON + HOUR})
    first = add_run(configs[1], NOON, state="running", **CLAIMED)
    queued = add_run(configs[2], NOON, state="queued", admitted_at=NOON)
    waiting = [add_run(configs[3], NOON + number * HOUR, state="pending") for number in range(3)]
    ended = add_run(configs[4], NOON, state="failed")
    add_run(configs[4], NOON - HOUR, state="failed")
    seen = store.open_and_ended(None, NOON, 2)
    assert seen.counts == {"running": 2, "queued": 1, "pending": 3}
    assert [run.id for run in store.open_and_ended(None, NOON, 9).active] == [first, second, queued]
    assert [run.id for run in seen.active] == [first, second]
    assert [run.id for run in seen.waiting] == waiting[:2]
    assert [run.id for run in seen.ended] == [ended]
    of_one = store.open_and_ended([configs[3]], NOON, 9)
    assert (of_one.counts, of_one.active, of_one.ended) == ({"pending": 3}, [], [])
