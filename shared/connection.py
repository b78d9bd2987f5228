"""One connection to PostgreSQL, by host and password or by Cloud SQL's connector with IAM."""

import contextlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pg8000.dbapi
import pg8000.exceptions

from shared.errors import DatabaseUnavailable
from shared.settings import Database

# Statements name their parameters (`:now`); the driver keeps the style in a variable of the module.
pg8000.dbapi.paramstyle = "named"

# Functions have 60 s: a server that does not answer the handshake within this is down.
_CONNECT_SECONDS = 10
# A statement that runs longer than this holds locks that others wait for.
_STATEMENT_TIMEOUT = "30s"


@contextmanager
def connect(database: Database) -> Iterator[pg8000.dbapi.Connection]:
    """A connection for the length of the block; never shared between threads (pg8000's rule).

    One per invocation, not one per process: a broken one then cannot outlive what broke it, and
    functions hold no connection while they idle. Raises `DatabaseUnavailable`.
    """
    try:
        connection = _open(database)
    except (pg8000.exceptions.Error, OSError) as error:
        raise DatabaseUnavailable(
            f"PostgreSQL does not let us in ({_reason(error)})",
            "check POSTGRES_HOST, POSTGRES_PORT, POSTGRES_DB, POSTGRES_USER and the password",
        ) from error
    try:
        connection.autocommit = True
        connection.cursor().execute(f"SET statement_timeout = '{_STATEMENT_TIMEOUT}'")
        yield connection
    finally:
        _close(connection)


def _open(database: Database) -> pg8000.dbapi.Connection:
    if database.cloud_sql_instance:
        return _through_connector(database)
    return pg8000.dbapi.Connection(
        user=database.postgres_user,
        password=database.postgres_password,
        host=database.postgres_host or "",
        port=database.postgres_port,
        database=database.postgres_db,
        timeout=_CONNECT_SECONDS,
        ssl_context=_tls(database),
        application_name="sheet-to-bigquery",
    )


def _through_connector(database: Database) -> pg8000.dbapi.Connection:
    from google.cloud.sql.connector import Connector

    password = database.postgres_password
    login: dict[str, Any] = {"password": password} if password else {"enable_iam_auth": True}
    # "lazy": functions are frozen between invocations, where a background refresh would not run.
    with Connector(refresh_strategy="lazy") as connector:
        return connector.connect(
            database.cloud_sql_instance,
            "pg8000",
            user=database.postgres_user,
            db=database.postgres_db,
            **login,
        )


def _tls(database: Database) -> ssl.SSLContext | None:
    if database.postgres_sslmode == "disable":
        return None
    context = ssl.create_default_context()
    if database.postgres_sslmode == "require":  # encrypted, as libpq's mode of that name, without a CA
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _reason(error: Exception) -> str:
    """What the driver says, without the parameters it may quote."""
    details = error.args[0] if error.args else ""
    if isinstance(details, dict):
        return f"{details.get('C')} {details.get('M')}"
    return f"{type(error).__name__}: {details}"


def _close(connection: pg8000.dbapi.Connection) -> None:
    # One that is broken already is why we may be here.
    with contextlib.suppress(pg8000.exceptions.Error, OSError):
        connection.close()
