"""`job_helper.py show` and `runs CONFIG`: one run, and one config's runs, for people and for machines."""

import json
from datetime import UTC, datetime, timedelta

import pytest

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
AT = "https://docs.google.com/spreadsheets/d/abcdefghij/edit"
DONE = {
    "destination": "p.d.t",
    "attempt": 1,
    "admitted_at": NOON + timedelta(seconds=2),
    "claimed_at": NOON + timedelta(seconds=3),
    "ended_at": NOON + timedelta(seconds=7),
    "job_project": "team-1",
    "job_location": "US",
    "execution": "projects/team-1/locations/us-central1/jobs/j/executions/e-1",
    "verdict": "loaded",
    "rows": 1234,
    "requests": 5,
    "sheet_reads": 3,
}


@pytest.fixture
def loaded(sql, add_config, add_run):
    """A config with two loads, of which the newer one has a column more; tells the config's and the runs' ids."""
    config = add_config()
    ids = [add_run(config, NOON - HOUR, **DONE | {"ended_at": NOON - HOUR}), add_run(config, NOON, **DONE)]
    for run_id, names in zip(ids, (["id"], ["id", "paid"]), strict=True):
        sql(
            """UPDATE sheet_to_bigquery_runs
               SET columns = CAST(:columns AS jsonb), seconds = '{"read": 1.5, "load": 2}',
               warnings = CAST(:warnings AS jsonb) WHERE id = :id""",
            columns=json.dumps([{"name": name, "type": "INT64"} for name in names]),
            warnings=json.dumps([f"1 cell is in error, loaded as NULL: Data!C17 ({AT}#gid=0&range=C17)"]),
            id=run_id,
        )
    return config, ids


def test_a_run_is_told_with_its_outcome_times_columns_and_links(helper, loaded) -> None:
    config, (former, run_id) = loaded
    lines = helper("show", run_id[:8]).stdout.splitlines()
    told = "\n".join(lines)
    assert lines[0] == f"run         {run_id}"
    assert f"config      {config} sales" in lines
    assert "outcome     loaded, 1,234 rows, 5 requests, 3 of them counted by the Sheets quota" in lines
    assert f"            Data!C17  {AT}#gid=0&range=C17" in lines
    assert "queued      1.0 s, since 2026-03-29 12:00:02 UTC" in lines
    assert "stages      load 2.0 s, read 1.5 s" in lines or "stages      read 1.5 s, load 2.0 s" in lines
    assert f"changes     1 column since run {former[:8]} of 2026-03-29 11:00:00 UTC" in lines
    assert "            + paid INT64 NULLABLE" in lines
    assert f"j=bq:US:sheet_to_bigquery_{run_id}_1" in told
    assert "console.cloud.google.com/logs/query" in told


def test_a_failure_is_told_with_its_cell_and_where_that_opens(helper, add_config, add_run) -> None:
    error = f"1 cell is not as custom_schema asks: Data!C17 ({AT}#gid=0&range=C17): no number: correct the cells"
    run_id = add_run(add_config(), NOON, state="failed", error_class="SchemaViolated", error=error)
    lines = helper("show", run_id).stdout.splitlines()
    assert f"error       SchemaViolated: {error}" in lines
    assert f"            Data!C17  {AT}#gid=0&range=C17" in lines


def test_what_to_do_about_a_failure_has_a_line_of_its_own(helper, add_config, add_run) -> None:
    failed = {"error_class": "EmptySheet", "error": "no rows: fill it", "remedy": "fill it"}
    run_id = add_run(add_config(), NOON, state="failed", **failed)
    lines = helper("show", run_id).stdout.splitlines()
    assert "error       EmptySheet: no rows" in lines
    assert "remedy      fill it" in lines
    facts = json.loads(helper("show", run_id, "--json").stdout)
    assert (facts["remedy"]["text"], facts["run"]["error"]) == ("fill it", "no rows: fill it")


def test_a_run_that_waits_says_until_when(helper, add_config, add_run) -> None:
    run_id = add_run(add_config(), NOON, state="pending")
    lines = helper("show", run_id).stdout.splitlines()
    assert "state       pending, not before 2026-03-29 12:00:00 UTC" in lines
    assert "waiting     goes on, since 2026-03-29 12:00:00 UTC" in lines


def test_machines_get_all_of_it_as_one_object(helper, loaded) -> None:
    _, (former, run_id) = loaded
    facts = json.loads(helper("show", run_id, "--json").stdout)
    assert (facts["run"]["id"], facts["former"]["id"]) == (run_id, former)
    assert facts["changes"] == [{"name": "paid", "before": None, "after": "INT64 NULLABLE"}]
    assert facts["warnings"][0]["cells"] == [{"cell": "Data!C17", "link": f"{AT}#gid=0&range=C17"}]


@pytest.mark.parametrize("named", ["1234567", "sales", "00000000"])
def test_what_names_no_run_is_an_error_for_people_and_for_machines(named, helper) -> None:
    done = helper("show", named, "--json")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    error = json.loads(done.stdout)["error"]
    assert (error["class"], error["remedy"]) == ("InvalidInput", "`job_helper.py runs` shows them")
    assert f"{error['class']}: {error['message']}: {error['remedy']}" == done.stderr.strip()


def test_people_get_no_json_of_an_error(helper) -> None:
    assert helper("show", "nobody").stdout == ""


def test_a_configs_runs_are_listed_by_its_name_or_id(helper, add_config, add_run) -> None:
    own, other = add_config("own"), add_config("other")
    first, newest = add_run(own, NOON), add_run(own, NOON + HOUR, state="failed", error_class="X", error="y")
    add_run(other, NOON + 2 * HOUR)
    for named in ("own", str(own)):
        assert [run["id"] for run in json.loads(helper("runs", named, "--json").stdout)] == [newest, first]
    assert [run["id"] for run in json.loads(helper("runs", "own", "--limit=1", "--json").stdout)] == [newest]
    assert "X: y" in helper("runs", "own").stdout


def test_a_config_that_is_gone_has_its_history_still(helper, add_run) -> None:
    run_id = add_run(404, NOON)
    assert [run["id"] for run in json.loads(helper("runs", "404", "--json").stdout)] == [run_id]


@pytest.mark.parametrize("named", ["405", "nobody", "99999999999999999999"])
def test_the_runs_of_nobody_are_one_clear_line(named, helper, add_config) -> None:
    add_config()
    done = helper("runs", named)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_config_without_runs_is_told_as_such(helper, add_config) -> None:
    add_config()
    assert "no runs of it yet" in helper("runs", "sales").stdout
