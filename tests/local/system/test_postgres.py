"""The throw-away PostgreSQL server."""

import pg8000.native
import pytest

from local.component import wait_until_ready
from local.ports import HOST
from local.postgres import DATABASE, USER
from tests.local.system.conftest import RunningPostgres


def connect(postgres: RunningPostgres, password: str | None = None) -> pg8000.native.Connection:
    return pg8000.native.Connection(
        USER,
        host=HOST,
        port=postgres.server.port,
        database=DATABASE,
        password=password or postgres.server.password,
    )


def test_a_wrong_password_is_refused(postgres: RunningPostgres) -> None:
    with pytest.raises(pg8000.native.DatabaseError, match="password authentication failed"):
        connect(postgres, "wrong")


def test_the_products_role_is_no_superuser_and_may_create_tables(postgres: RunningPostgres) -> None:
    connection = connect(postgres)
    assert connection.run("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [[False]]
    connection.run("CREATE TABLE may_create (id int)")
    connection.run("DROP TABLE may_create")
    connection.close()


def test_only_this_machine_is_listened_to(postgres: RunningPostgres) -> None:
    connection = connect(postgres)
    assert connection.run("SHOW listen_addresses") == [[HOST]]
    connection.close()


def test_what_is_committed_survives_a_crash(postgres: RunningPostgres) -> None:
    connection = connect(postgres)
    connection.run("CREATE TABLE survives AS SELECT 42 AS answer")
    postgres.process.kill()
    with pytest.raises((pg8000.native.InterfaceError, OSError)):
        connect(postgres)
    postgres.process.start()
    wait_until_ready([postgres.process], 30)
    connection = connect(postgres)
    assert connection.run("SELECT answer FROM survives") == [[42]]
    connection.run("DROP TABLE survives")
    connection.close()


def test_no_password_stays_on_the_disk(postgres: RunningPostgres) -> None:
    secret = postgres.server.password.encode()
    files = [path for path in postgres.server.folder.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert [path for path in files if secret in path.read_bytes()] == []
