"""`deploy.sh database` brings a real PostgreSQL, reached with TLS, to the schema, and lets the functions use it."""

import os
from collections.abc import Iterator

import pg8000.native
import pytest

from local.component import wait_until_ready
from local.ports import HOST, reserve_port
from local.postgres import DATABASE, USER, Postgres
from tests.deploy.cloud import Cloud
from tests.deploy.deployment import deploy
from tests.deploy.tls import switch_tls_on

RUNTIME = "sync"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with TLS, the tables' owner, and a role that owns nothing."""
    folder = tmp_path_factory.mktemp("postgres")
    server = Postgres.in_folder(folder / "server", reserve_port())
    server.create_cluster()
    component = server.component(dict(os.environ), folder / "log")
    component.start()
    try:
        wait_until_ready([component], seconds=30)
        server.create_database()
        switch_tls_on(server.folder / "data", server.port, server.password)
        yield server
    finally:
        component.stop()


def place(postgres: Postgres) -> list[str]:
    return [f"--postgres-host={HOST}", f"--postgres-port={postgres.port}", f"--postgres-db={DATABASE}"]


def test_the_owner_migrates_and_the_functions_role_may_use_what_is_there(cloud: Cloud, postgres: Postgres) -> None:
    login = {"host": HOST, "port": postgres.port, "database": DATABASE, "password": postgres.password}
    admin = pg8000.native.Connection("postgres", **login)
    admin.run(f"CREATE ROLE {RUNTIME} LOGIN PASSWORD '{postgres.password}'")
    users = [f"--postgres-user={RUNTIME}", f"--postgres-owner={USER}"]
    for said in ("0001_runs: up on this database", "nothing to apply"):
        done = deploy(cloud, *place(postgres), *users, "database", POSTGRES_OWNER_PASSWORD=postgres.password)
        assert done.returncode == 0, done.stderr
        assert said in done.stderr
        assert postgres.password not in done.stderr
    connection = pg8000.native.Connection(RUNTIME, **login)
    assert connection.run("SELECT count(*) FROM sheet_to_bigquery_runs") == [[0]]
    connection.close()
    admin.close()
    assert cloud.changes() == []


def test_a_database_that_cannot_be_reached_stops_the_deployment_with_what_to_check(
    cloud: Cloud, postgres: Postgres
) -> None:
    done = deploy(cloud, *place(postgres), f"--postgres-user={USER}", "database", POSTGRES_PASSWORD="not it")
    assert done.returncode == 1
    assert "check POSTGRES_HOST, POSTGRES_PORT, POSTGRES_DB, POSTGRES_USER, the password" in done.stderr
    assert "not it" not in done.stderr
