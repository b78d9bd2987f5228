"""`migrate.py types`: what real types change is told column by column, and taken when somebody says so."""

import json
import uuid

import pytest
from google.cloud import bigquery

from tests.integration.migrate.conftest import PROJECT, SHEET, SPREADSHEET, TWICE


@pytest.fixture
def sales(team) -> int:
    """A config of the job's, in the service's shape."""
    config_id = team.config("sales", "shadow", google_sheet_url=SHEET)
    team.mark(config_id, "job_ready")
    return config_id


def test_each_column_is_told_with_what_readers_notice(sales, migrate, sql) -> None:
    done = migrate("types", "sales")
    assert done.returncode == 0, done.stderr
    (amount,) = [line for line in done.stdout.splitlines() if line.startswith("Amount_in_")]
    assert amount.split()[:4] == ["Amount_in__", "STRING", "amount_in", "FLOAT64"]
    assert "numbers lose their display" in amount
    assert "nothing was changed" in done.stdout
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[{"parity": True}]]


def test_taking_the_step_lets_the_next_run_load_real_types(sales, migrate, sql) -> None:
    done = migrate("types", "sales", "--apply")
    assert (done.returncode, "job_helper.py run" in done.stdout) == (0, True)
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[None]]


def test_the_step_is_in_the_audit_with_who_and_why(sales, migrate, team, sql) -> None:
    assert migrate("types", "sales", "--apply", "--actor=ana", "--reason=they asked").returncode == 0
    assert team.changes()[-1] == ("sales", "parity", "types", "ana", "they asked")
    assert "types" in migrate("history").stdout
    # As anybody's own SQL is, the other way round as well.
    sql("""UPDATE sheet_to_bigquery_configs SET options = '"{\\"parity\\": true}"'""")
    assert team.changes()[-1][:3] == ("sales", "types", "parity")


@pytest.mark.parametrize("options", ["[]", '"no json"', '{"max_shrink": 0.5, "parity": true}'])
def test_other_options_are_nobodys_step(options, sales, team, sql) -> None:
    before = team.changes()
    sql("UPDATE sheet_to_bigquery_configs SET options = '{}'")
    sql("UPDATE sheet_to_bigquery_configs SET options = CAST(:options AS jsonb)", options=options)
    steps = [("parity", "types"), *([("types", "parity")] if "parity" in options else [])]
    assert [(was, now) for _, was, now, *_ in team.changes()[len(before) :]] == steps


def test_the_services_configs_have_no_such_step(team, sql) -> None:
    team.config("stock", "service")
    sql("""UPDATE sheet_to_bigquery_configs SET options = '{"parity": true}'""")
    assert team.changes() == []


def test_who_looks_once_more_is_not_told_to_take_the_step_again(sales, migrate) -> None:
    assert "--apply takes the step" in migrate("types", "sales").stdout
    migrate("types", "sales", "--apply")
    told = migrate("types", "sales").stdout
    assert ("the step is taken already" in told, "--apply" in told) == (True, False)


def test_options_of_the_configs_own_stay(sales, migrate, sql) -> None:
    sql('UPDATE sheet_to_bigquery_configs SET options = \'{"parity": true, "max_shrink": 0.5}\'')
    assert migrate("types", "sales", "--apply").returncode == 0
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[{"max_shrink": 0.5}]]


def test_a_dry_run_takes_nothing(sales, migrate, sql) -> None:
    done = migrate("types", "sales", "--apply", "--dry-run", "--json")
    assert (done.returncode, json.loads(done.stdout)[0]["applied"]) == (0, False)
    told = migrate("types", "sales", "--apply", "--dry-run").stdout
    assert told.splitlines()[-1] == "dry run: nothing was changed"
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[{"parity": True}]]


def test_the_step_can_be_taken_when_the_migration_is_over(sales, migrate, sql) -> None:
    assert migrate("finish", "--yes").returncode == 0
    done = migrate("types", "sales", "--apply")
    assert (done.returncode, "job_helper.py run" in done.stdout) == (0, True), done.stderr
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[None]]


def test_whoever_is_killed_calls_it_again_and_it_ends_in_the_same_state(sales, migrate, sql) -> None:
    migrate("types", "sales", "--apply", die_at="migrate.after_types")
    done = migrate("types", "sales", "--apply")
    assert (done.returncode, "the step is taken already" in done.stdout) == (0, True)
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[None]]


def test_one_that_is_the_services_keeps_all_as_they_are(sales, migrate, team, sql) -> None:
    stock = team.config("stock", "shadow", google_sheet_url=SHEET)
    done = migrate("types", "sales", "stock", "--apply")
    assert (done.returncode, f"`python migrate.py promote {stock}`" in done.stderr) == (1, True)
    assert sql("SELECT options FROM sheet_to_bigquery_configs WHERE name = 'sales'") == [[{"parity": True}]]


def test_a_sheet_that_cannot_be_read_keeps_all_as_they_are(sales, migrate, team, sql) -> None:
    team.config("gone", "job_ready", google_sheet_url=SHEET.replace("Sales", "Gone-long-ago"))
    done = migrate("types", "sales", "gone", "--apply")
    assert (done.returncode, "SheetNotFound" in done.stderr) == (1, True)
    assert sql("SELECT options FROM sheet_to_bigquery_configs WHERE name = 'sales'") == [[{"parity": True}]]


@pytest.mark.parametrize("wrong", [["--view", "v"], ["stock", "--apply", "--view", "v"]])
def test_a_view_is_for_one_config_whose_step_is_taken(wrong, sales, migrate) -> None:
    assert migrate("types", "sales", *wrong).returncode == 2


def test_a_sheet_at_which_the_service_fails_gets_its_types_all_the_same(migrate, team, sql) -> None:
    """It never had a table to be compared with, and so was marked by SQL."""
    config_id = team.config("twice", "job_ready", google_sheet_url=SHEET.replace(SPREADSHEET, TWICE))
    refused = migrate("types", "twice", "--apply", "--view", "twice_as_before")
    assert (refused.returncode, "no shape that a view could keep" in refused.stderr) == (2, True)
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[{"parity": True}]]
    done = migrate("types", str(config_id), "--apply")
    assert (done.returncode, "The service fails at this sheet" in done.stdout) == (0, True), done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines() if "a new column" in line] == [
        ["amount", "STRING"],
        ["amount_2", "FLOAT64"],
    ]
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[None]]


@pytest.mark.parametrize("taken", ["table", "view"])
def test_a_view_takes_nobody_elses_place(taken, sales, migrate, team, sql) -> None:
    team.load_as_service("reports.sales", [{"id": "a-1", "Amount_in__": "2.5"}])
    team.load_as_service("reports.others", [{"n": "1"}])
    name = {"table": "others", "view": f"v{uuid.uuid4().hex[:8]}"}[taken]
    if taken == "view":
        view = bigquery.Table(f"{PROJECT}.reports.{name}")
        view.view_query = f"SELECT n FROM `{PROJECT}`.`reports`.`others`"
        team.warehouse.create_table(view)
    done = migrate("types", "sales", "--apply", "--view", name)
    assert (done.returncode, "is no view over the table of config" in done.stderr) == (2, True)
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[{"parity": True}]]
    assert team.runs() == []


@pytest.mark.parametrize("name", ["sales", "later"])
def test_a_view_is_not_made_where_a_configs_table_is_to_be(name, sales, migrate, team, sql) -> None:
    """None of them is loaded yet, and the config's own run would make its table before the view replaced it."""
    owner = sales if name == "sales" else team.config("later", "service", is_active=False)
    done = migrate("types", "sales", "--apply", "--view", name)
    assert (done.returncode, f"--view {name}: " in done.stderr) == (2, True), done.stderr
    assert f'is the table of config {owner} "{name}"' in done.stderr
    assert sql("SELECT options FROM sheet_to_bigquery_configs WHERE name = 'sales'") == [[{"parity": True}]]
    assert team.runs() == []


@pytest.mark.parametrize("name", ["bad name;--", "reports.v1", "v`1", " "])
def test_a_view_needs_a_name_that_a_table_can_have(name, sales, migrate, team, sql) -> None:
    done = migrate("types", "sales", "--apply", "--view", name)
    assert (done.returncode, "--view" in done.stderr, "without its dataset" in done.stderr) == (2, True, True)
    assert sql("SELECT options FROM sheet_to_bigquery_configs") == [[{"parity": True}]]
    assert team.runs() == []


def test_a_view_that_an_earlier_call_made_is_made_again(sales, migrate, team) -> None:
    team.load_as_service("reports.sales", [{"id": "a-1", "amount_in": "2.5"}])
    name = f"v{uuid.uuid4().hex[:8]}"
    plan = json.loads(migrate("types", "sales", "--apply", "--dry-run", "--view", name, "--json").stdout)[0]["plan"]
    team.warehouse.query(plan["view"]).result()
    assert migrate("types", "sales", "--apply", "--dry-run", "--view", name).returncode == 0
