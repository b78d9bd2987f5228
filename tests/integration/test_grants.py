"""`python -m sql grant`: a role may do what the runtime does, and nothing beyond it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pg8000.native
import pytest

from local.ports import HOST
from local.postgres import Postgres
from shared.errors import InvalidSettings, PermissionMissing
from shared.ledger.connection import connect
from shared.ledger.store import open_store
from shared.settings import Database
from sql.grants import grant, revoke
from sql.migrations import down

# As Cloud SQL names an identity: it has to be quoted.
ROLE = "sheettobigquery-launch@hkd-reporting.iam"
CONFIGS = "sheet_to_bigquery_configs"


@pytest.fixture
def admin(migrated: Database, postgres: Postgres) -> Iterator[pg8000.native.Connection]:
    login: dict[str, Any] = {"host": HOST, "port": postgres.port, "password": postgres.password}
    admin = pg8000.native.Connection("postgres", database=migrated.postgres_db, **login)
    yield admin
    admin.close()


@pytest.fixture
def runtime(migrated: Database, postgres: Postgres, admin: pg8000.native.Connection) -> Iterator[Database]:
    """The migrated database as a role sees it that owns nothing."""
    admin.run(f"CREATE ROLE \"{ROLE}\" LOGIN PASSWORD '{postgres.password}'")
    yield msgspec.structs.replace(migrated, postgres_user=ROLE)
    admin.run(f'DROP OWNED BY "{ROLE}"')
    admin.run(f'DROP ROLE "{ROLE}"')


def granted(database: Database, *roles: str) -> list[str]:
    with connect(database) as connection:
        return list(grant(connection, CONFIGS, roles))


def test_a_role_does_what_the_runtime_does_once_it_is_granted(
    migrated: Database, runtime: Database, add_config
) -> None:
    add_config(last_run=None)
    now = datetime.now(UTC)
    with open_store(runtime) as store, pytest.raises(PermissionMissing):
        store.record_due(now, "6f1e0a52-0000-4000-8000-000000000000", None)
    assert granted(migrated, ROLE) == [f"{ROLE}: may use {CONFIGS} and the ledger"]
    with open_store(runtime) as store:
        assert store.record_due(now, "6f1e0a52-0000-4000-8000-000000000000", None).count == 1
        assert len(store.admit(now, 10, 60)) == 1
        store.clean(now)


def test_granting_again_changes_nothing(migrated: Database, runtime: Database) -> None:
    assert granted(migrated, ROLE) == granted(migrated, ROLE)


def test_the_role_may_not_change_the_tables_themselves(migrated: Database, runtime: Database) -> None:
    granted(migrated, ROLE)
    with connect(runtime) as connection, pytest.raises(PermissionMissing):
        list(down(connection, CONFIGS))


def test_a_role_that_is_not_there_is_named_and_nobody_is_granted_anything(
    migrated: Database, runtime: Database
) -> None:
    with pytest.raises(InvalidSettings, match="no role nobody"):
        granted(migrated, ROLE, "nobody")
    with open_store(runtime) as store, pytest.raises(PermissionMissing):
        store.count_states()


def test_who_owns_nothing_is_not_told_that_it_granted(migrated: Database, runtime: Database) -> None:
    granted(migrated, ROLE)
    with pytest.raises(PermissionMissing, match="pg_monitor would still lack SELECT ON"):
        granted(runtime, "pg_monitor")


def test_a_schema_that_lets_the_role_not_in_is_named(migrated: Database, runtime: Database, sql) -> None:
    sql("CREATE SCHEMA portal")
    sql(f"CREATE TABLE portal.configs (LIKE {CONFIGS} INCLUDING ALL)")
    with connect(migrated) as connection, pytest.raises(PermissionMissing, match="lack USAGE ON SCHEMA portal"):
        list(grant(connection, "portal.configs", [ROLE]))


def revoked(database: Database, *roles: str) -> list[str]:
    with connect(database) as connection:
        return list(revoke(connection, CONFIGS, roles))


def can_be_dropped(admin: pg8000.native.Connection, role: str) -> bool:
    """As Cloud SQL does with a user; here it comes back."""
    admin.run("BEGIN")
    try:
        admin.run(f'DROP ROLE "{role}"')
    except pg8000.exceptions.DatabaseError as error:
        if error.args[0]["C"] != "2BP01":  # dependent_objects_still_exist
            raise
        return False
    finally:
        admin.run("ROLLBACK")
    return True


def test_a_role_whose_rights_are_revoked_can_be_dropped(
    migrated: Database, runtime: Database, admin: pg8000.native.Connection, sql
) -> None:
    granted(migrated, ROLE)
    # As README-JOB.md has the owner do for who removes configs.
    sql(f'GRANT DELETE ON {CONFIGS} TO "{ROLE}"')
    assert not can_be_dropped(admin, ROLE)
    told = [f"{ROLE}: may use {CONFIGS} and the ledger no more", "nobody: is not there"]
    for _ in range(2):
        assert revoked(migrated, ROLE, "nobody") == told
    assert can_be_dropped(admin, ROLE)
    assert granted(migrated, ROLE) == [f"{ROLE}: may use {CONFIGS} and the ledger"]


def test_rights_are_revoked_from_what_is_still_there(
    migrated: Database, runtime: Database, admin: pg8000.native.Connection, sql
) -> None:
    granted(migrated, ROLE)
    sql("DROP TABLE sheet_to_bigquery_comparisons")
    revoked(migrated, ROLE)
    assert can_be_dropped(admin, ROLE)


def test_rights_that_another_granted_are_told_and_nothing_is_taken(
    migrated: Database, runtime: Database, admin: pg8000.native.Connection, sql
) -> None:
    granted(migrated, ROLE)
    sql(f"GRANT SELECT ON {CONFIGS} TO pg_monitor WITH GRANT OPTION")
    admin.run("SET ROLE pg_monitor")
    admin.run(f'GRANT SELECT ON {CONFIGS} TO "{ROLE}"')
    admin.run("RESET ROLE")
    with pytest.raises(PermissionMissing, match=f"would keep rights on {CONFIGS}"):
        revoked(migrated, ROLE)
    with open_store(runtime) as store:
        assert store.count_states() is not None
    sql(f"REVOKE ALL ON {CONFIGS} FROM pg_monitor CASCADE")
