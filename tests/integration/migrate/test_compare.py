"""`migrate.py compare`: verdicts, what differs by name and count, and values for who asks for them alone."""

import json
import uuid

import pytest

from shared.settle import settle
from tests.integration.migrate.conftest import PROJECT

ROWS = [{"id": "1", "amount": "2.50"}, {"id": "2", "amount": "secret-7"}]
OTHER = [{"id": "1", "amount": "2.50"}, {"id": "2", "amount": "secret-8"}]


@pytest.fixture
def dataset() -> str:
    """The name of a dataset that only this test knows."""
    return f"c{uuid.uuid4().hex[:10]}"


@pytest.fixture
def beside(team, migrate, dataset):
    """Makes a config that was loaded by the service, and then beside it."""

    def make(name: str, service, job) -> int:
        team.load_as_service(f"{dataset}.{name}", service)
        config_id = team.config(name, bigquery_dataset_id=dataset)
        assert migrate("shadow", name, "--no-wait").returncode == 0
        team.load_shadow(config_id, job)
        return config_id

    return make


def test_equal_tables_are_a_match_and_are_kept_once_for_the_two_loads(beside, migrate, team, sql) -> None:
    beside("sales", ROWS, ROWS)
    first, second = migrate("compare"), migrate("compare", "sales", "--json")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "MATCH" in first.stdout
    assert json.loads(second.stdout)[0]["matches"] == 1
    assert sql("SELECT config_name, service_row_count, job_row_count FROM comparison_view") == [["sales", 2, 2]]


def test_what_differs_is_told_by_column_and_count_and_without_values(beside, migrate, dataset) -> None:
    beside("sales", ROWS, OTHER)
    for arguments in (["compare"], ["compare", "--json"]):
        done = migrate(*arguments)
        assert done.returncode == 1, done.stderr
        assert "MISMATCH" in done.stdout
        assert "amount" in done.stdout
        assert "secret" not in done.stdout + done.stderr


def test_a_column_of_one_table_is_told_with_whose_it_is(beside, migrate) -> None:
    beside("sales", [{"id": "1", "before": "x"}], [{"id": "1", "after": "x"}])
    lines = migrate("compare").stdout.splitlines()
    assert any(line.endswith("sales: column before: only in the service's table (STRING)") for line in lines)
    assert any(line.endswith("sales: column after: only in the job's (STRING)") for line in lines)


def test_of_many_columns_that_one_table_has_ten_are_told(beside, migrate) -> None:
    beside("sales", [{"id": "1"}], [{"id": "1"} | {f"c{number}": "x" for number in range(12)}])
    lines = migrate("compare").stdout.splitlines()
    assert sum("only in the job's" in line for line in lines) == 10
    assert any(line.endswith("sales: and 2 more") for line in lines)


def test_a_column_of_another_type_is_told_with_both(beside, migrate, team, dataset) -> None:
    beside("sales", ROWS, ROWS)
    table = f"{PROJECT}.{dataset}.sales"
    team.warehouse.query_and_wait(f"CREATE OR REPLACE TABLE `{table}` AS SELECT 1 AS id, 'x' AS amount")
    assert "column id: INT64 in the service's table, STRING in the job's" in migrate("compare").stdout


def test_rows_that_differ_are_shown_to_who_asks_for_them(beside, migrate) -> None:
    beside("sales", ROWS, OTHER)
    done = migrate("compare", "--rows")
    assert ("secret-7" in done.stdout, "secret-8" in done.stdout, "id (KEY)" in done.stdout) == (True, True, True)
    told = json.loads(migrate("compare", "--rows", "--json").stdout)
    assert told[0]["comparison"]["sample"]["rows"][0]["service"] == {"amount": "secret-7"}


def test_one_that_differs_does_not_hide_that_another_is_equal(beside, migrate) -> None:
    beside("sales", ROWS, OTHER)
    beside("stock", ROWS, ROWS)
    done = migrate("compare", "--json")
    assert done.returncode == 1
    assert {each["name"]: each["comparison"]["verdict"] for each in json.loads(done.stdout)} == {
        "sales": "MISMATCH",
        "stock": "MATCH",
    }


def test_a_table_that_is_gone_is_told_and_keeps_no_other_from_being_compared(beside, migrate, team, dataset) -> None:
    beside("sales", ROWS, ROWS)
    beside("stock", ROWS, ROWS)
    team.warehouse.delete_table(f"{PROJECT}.{dataset}.sales")
    done = migrate("compare")
    assert done.returncode == 1
    assert f"{PROJECT}.{dataset}.sales" in done.stderr
    (stock,) = [line for line in done.stdout.splitlines() if " stock " in line]
    assert "MATCH" in stock


def test_one_that_was_the_jobs_is_compared_once_the_service_has_loaded_it_again(
    team, migrate, dataset, add_run, sql
) -> None:
    """What the job loaded before the rollback is no proof of what it loads beside."""
    team.load_as_service(f"{dataset}.sales", ROWS)
    config_id = team.config("sales", "job_ready", bigquery_dataset_id=dataset)
    run = team.in_flight(config_id, add_run)
    team.load_as_job(run, ROWS)
    assert settle(run, team.store, team.wiring.bigquery, team.executions, team.wiring.settings) == "succeeded"
    assert migrate("rollback", "sales").returncode == 0
    assert migrate("shadow", "sales", "--no-wait").returncode == 0
    team.load_shadow(config_id, ROWS)
    done = migrate("compare", MIGRATION_MATCHES="1")
    assert (done.returncode, f"by the job itself (run {run.id})" in done.stderr) == (1, True)
    assert "promote" not in done.stdout
    assert sql("SELECT count(*) FROM sheet_to_bigquery_comparisons") == [[0]]


def test_before_the_first_load_there_is_nothing_to_compare(team, migrate, dataset) -> None:
    team.load_as_service(f"{dataset}.sales", ROWS)
    team.config("sales", "shadow", bigquery_dataset_id=dataset)
    done = migrate("compare")
    assert (done.returncode, "migrate.py shadow" in done.stderr) == (1, True)


@pytest.mark.parametrize(("owner", "told"), [("service", "migrate.py shadow"), ("job_ready", "migrate.py rollback")])
def test_one_that_is_no_shadow_is_refused_and_nothing_is_compared(owner, told, beside, migrate, team, sql) -> None:
    beside("sales", ROWS, ROWS)
    team.config("other", owner)
    done = migrate("compare", "sales", "other")
    assert (done.returncode, told in done.stderr) == (1, True)
    assert sql("SELECT count(*) FROM sheet_to_bigquery_comparisons") == [[0]]


def test_without_a_shadow_it_says_how_to_begin(migrate, team) -> None:
    team.config("sales")
    done = migrate("compare")
    assert (done.returncode, "`python migrate.py shadow NAME`" in done.stdout) == (0, True)


def test_whoever_is_killed_before_it_is_kept_compares_again(beside, migrate, sql) -> None:
    beside("sales", ROWS, ROWS)
    migrate("compare", die_at="migrate.after_compare")
    assert sql("SELECT count(*) FROM sheet_to_bigquery_comparisons") == [[0]]
    assert migrate("compare").returncode == 0
    assert sql("SELECT count(*) FROM sheet_to_bigquery_comparisons") == [[1]]


def test_enough_in_a_row_are_told_to_be_ready(beside, migrate) -> None:
    config_id = beside("sales", ROWS, ROWS)
    done = migrate("compare", MIGRATION_MATCHES="1")
    assert f"`python migrate.py promote {config_id}`" in done.stdout
    assert migrate("promote", "sales", MIGRATION_MATCHES="1").returncode == 0


def test_one_whose_newest_verdict_is_no_match_is_not_told_to_be_ready(beside, migrate, team, dataset) -> None:
    """What proves nothing does not break the row of matches; but neither is it the moment to promote."""
    beside("sales", ROWS, ROWS)
    assert migrate("compare", MIGRATION_MATCHES="1").returncode == 0
    team.load_as_service(f"{dataset}.sales", OTHER)
    done = migrate("compare", MIGRATION_MATCHES="1")
    assert ("SHADOW_OLDER" in done.stdout, "1 of 1" in done.stdout, "promote" in done.stdout) == (True, True, False)


def test_the_guides_query_says_the_same(beside, migrate, sql) -> None:
    beside("sales", ROWS, [*OTHER, {"id": "3", "amount": "1"}])
    migrate("compare")
    assert sql(
        "SELECT config_name, CASE WHEN service_row_count = job_row_count THEN 'MATCH' ELSE 'MISMATCH' END"
        " AS validation_status FROM comparison_view"
    ) == [["sales", "MISMATCH"]]
