"""`job_helper.py remove`: a config is forgotten, and nothing that it loaded."""

import json
import re
from datetime import UTC, datetime

import pg8000.native
import pytest

from local.ports import HOST
from shared.errors import UnknownConfig
from shared.ledger.config_queries import Removed
from shared.ledger.connection import connect
from sql.grants import grant

SLOT = datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_a_removed_config_is_gone_and_its_runs_stay(helper, add_config, add_run, sql) -> None:
    config_id = add_config("sales")
    run_id = add_run(config_id, SLOT)
    other = add_config("stock")
    done = helper("remove", "sales")
    assert done.returncode == 0, done.stderr
    assert f"removed config {config_id} sales; its runs and its table test-project.reports.sales" in done.stdout
    assert sql("SELECT id FROM sheet_to_bigquery_configs") == [[other]]
    assert sql("SELECT id::text, state FROM sheet_to_bigquery_runs") == [[run_id, "succeeded"]]


def test_a_paused_config_and_one_that_cannot_be_run_can_be_removed_by_id(helper, add_config, sql) -> None:
    ids = [add_config("asleep", is_active=False), add_config("wrong", google_sheet_url="https://example.com")]
    for config_id in ids:
        assert json.loads(helper("remove", str(config_id), "--json").stdout)["id"] == config_id
    assert sql("SELECT id FROM sheet_to_bigquery_configs") == []


def test_a_config_with_an_open_run_stays_and_the_run_is_named(helper, add_config, add_run, sql) -> None:
    config_id = add_config("sales")
    run_id = add_run(config_id, SLOT, state="pending")
    done = helper("remove", "sales")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"pending: {run_id}" in done.stderr
    assert f"cancel {run_id[:8]}" in done.stderr
    assert sql("SELECT id FROM sheet_to_bigquery_configs") == [[config_id]]
    assert helper("cancel", run_id[:8]).returncode == 0
    assert helper("remove", "sales").returncode == 0


@pytest.mark.parametrize("named", ["nobody", "4711"])
def test_a_config_that_is_not_there_is_one_clear_line(named, helper, add_config, sql) -> None:
    add_config("sales")
    done = helper("remove", named)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert sql("SELECT name FROM sheet_to_bigquery_configs") == [["sales"]]


def test_of_two_of_one_name_neither_goes_by_the_name(helper, add_config, sql) -> None:
    for table in ("one", "two"):
        add_config("twin", bigquery_table_id=table)
    assert helper("remove", "twin").returncode == 2
    assert sql("SELECT count(*) FROM sheet_to_bigquery_configs") == [[2]]


def test_a_config_that_a_portal_wrote_without_a_name_goes_by_its_id(helper, add_config, sql) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ALTER name DROP NOT NULL")
    config_id = add_config(None, bigquery_table_id="unnamed")
    done = helper("remove", str(config_id))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"removed config {config_id} without a name" in done.stdout
    assert sql("SELECT id FROM sheet_to_bigquery_configs") == []


def test_a_config_that_somebody_else_removed_meanwhile_is_not_told_as_removed(store, add_config) -> None:
    config_id = add_config("sales")
    assert store.remove_config(config_id) == Removed(config_id, "sales", "test-project.reports.sales")
    with pytest.raises(UnknownConfig, match=f"config {config_id} is gone already"):
        store.remove_config(config_id)


def test_a_role_that_may_not_delete_configs_is_told_the_grant_with_which_it_may(
    helper, environment, add_config, migrated, postgres
) -> None:
    add_config("sales")
    role = f"remover_of_{migrated.postgres_db}"
    login = {"host": HOST, "port": postgres.port, "password": postgres.password}
    admin = pg8000.native.Connection("postgres", database=migrated.postgres_db, **login)
    admin.run(f"CREATE ROLE {role} LOGIN PASSWORD '{postgres.password}'")
    try:
        with connect(migrated) as connection:
            list(grant(connection, migrated.configs_table, [role]))
        env = environment | {"POSTGRES_USER": role}
        refused = helper("remove", "sales", env=env)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
        grants = re.search(r"GRANT (.* ON .*) TO it, and (.* ON .*)$", refused.stderr.strip())
        assert grants
        for each in grants.groups():
            admin.run(f"GRANT {each} TO {role}")
        assert helper("remove", "sales", env=env).returncode == 0
    finally:
        admin.run(f"DROP OWNED BY {role}; DROP ROLE {role}")
        admin.close()
