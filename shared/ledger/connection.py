"""One connection to PostgreSQL, by host and password or by Cloud SQL's connector with IAM."""

import contextlib
import functools
import re
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pg8000.dbapi
import pg8000.exceptions
from pg8000.native import identifier

from shared.errors import (
    DatabaseUnavailable,
    InvalidInput,
    InvalidSettings,
    LedgerRefused,
    PermissionMissing,
    SyncError,
)
from shared.settings import Database

# What a statement names its parameters by: `:now`, but not the type in `0::float8`.
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")

# A statement that runs longer than this holds locks that others wait for; the server ends it. And no statement runs so
# often on a connection that compiling it pays: what dispatch tells took 100 ms of CPU in place of 26, of 5,000 configs.
_STATEMENT_TIMEOUT = "20s"
# The socket's time-out, of the handshake and of every answer: past the server's own, the server is gone.
_ANSWER_SECONDS = 25
# SQLSTATE classes in which the moment, not the statement, is the trouble: connection, deadlock, resources, shutdown.
_UNAVAILABLE = ("08", "40", "53", "57")
_LOCKED = "55P03"
_UNDEFINED_TABLE = "42P01"
_UNDEFINED_COLUMN = "42703"
_NO_PRIVILEGE = "42501"
_TOO_LONG = "22001"
# What a refusal's fields stand for in the protocol; its message and its detail quote rows and stay out.
_PLACES = {"n": "constraint", "t": "table", "c": "column"}


class Session:
    """Statements and transactions over one connection, with the driver's errors told as the product's.

    `configs_table` is its name as SQL has it.
    """

    def __init__(self, connection: pg8000.dbapi.Connection, configs_table: str) -> None:
        self._connection = connection
        self._is_within = False
        self.configs_table = quoted(configs_table)

    def run(self, statement: str, **parameters: Any) -> list[Any]:
        """The rows of one statement, whose `{configs}` is the configs table.

        Raises `DatabaseUnavailable`, `InvalidSettings` where the database lacks a table or a column,
        `PermissionMissing`, `InvalidInput` for a text that its column cannot hold, and `LedgerRefused` for the rest.
        """
        text = statement.replace("{configs}", self.configs_table)
        try:
            if not parameters:
                return list(self._connection.execute_simple(text).rows or [])
            text, names = numbered(text)
            return list(self._connection.execute_unnamed(text, [parameters[name] for name in names]).rows or [])
        except (pg8000.exceptions.InterfaceError, OSError) as error:
            raise DatabaseUnavailable("the connection to PostgreSQL broke", "try again") from error
        except pg8000.exceptions.DatabaseError as error:
            # Without its cause: the driver's error quotes the row that failed.
            raise self._translated(error) from None

    @contextmanager
    def transaction(self, begin: str = "BEGIN") -> Iterator[None]:
        """Statements that happen together or not at all; within another transaction, with that one's."""
        if self._is_within:
            yield
            return
        self.run(begin)
        self._is_within = True
        try:
            yield
        except BaseException:
            with contextlib.suppress(DatabaseUnavailable):  # a broken connection has rolled back by itself
                self.run("ROLLBACK")
            raise
        finally:
            self._is_within = False
        self.run("COMMIT")

    def one_moment(self) -> AbstractContextManager[None]:
        """Statements that all see what there was when the first of them began, and change nothing."""
        return self.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def _translated(self, error: pg8000.exceptions.DatabaseError) -> SyncError:
        """The product's error for a driver's, with nothing in it that a table holds."""
        details = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        code, said = details.get("C", ""), details.get("M")
        if code == _LOCKED:
            return DatabaseUnavailable("a table is locked by somebody", "nothing is changed: try again")
        if code.startswith(_UNAVAILABLE):
            return DatabaseUnavailable(f"PostgreSQL cannot serve now ({code} {said})", "try again")
        if code in (_UNDEFINED_TABLE, _UNDEFINED_COLUMN):
            return InvalidSettings(
                f"the database lacks what this version needs ({said})",
                "run `python -m sql up` against it; CONFIGS_TABLE names the configs table",
            )
        if code == _TOO_LONG:
            return InvalidInput(f"a text is longer than PostgreSQL's column for it ({said})", "shorten it")
        if code == _NO_PRIVILEGE:
            return PermissionMissing(
                f"PostgreSQL refuses the role of POSTGRES_USER ({said})",
                f"as the tables' owner, GRANT SELECT, INSERT, UPDATE ON {self.configs_table} TO it, and SELECT, INSERT,"
                " UPDATE, DELETE ON sheet_to_bigquery_runs, sheet_to_bigquery_messages, sheet_to_bigquery_notices,"
                " sheet_to_bigquery_forwards, sheet_to_bigquery_plans, sheet_to_bigquery_comparisons, and SELECT,"
                " INSERT, DELETE ON sheet_to_bigquery_actions",
            )
        places = [f"{name} {details[field]}" for field, name in _PLACES.items() if field in details]
        return LedgerRefused(
            f"PostgreSQL refuses a statement ({', '.join([f'SQLSTATE {code}', *places])})",
            "try again; if it lasts, `python -m sql status` tells whether the database is this version's",
        )


def quoted(table: str) -> str:
    """A table's name for use in SQL; with a schema in front it is two identifiers."""
    return ".".join(identifier(part) for part in table.split("."))


@functools.cache
def numbered(statement: str) -> tuple[str, list[str]]:
    """The statement with PostgreSQL's `$1` for `:now`, and the names in their order.

    pg8000 does the same, but looks at each character, every time: two milliseconds for the due rule.
    """
    names = list(dict.fromkeys(_PARAMETER.findall(statement)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement), names


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
            f"PostgreSQL at {database.postgres_host}:{database.postgres_port} does not let us in ({_reason(error)})",
            "check POSTGRES_HOST, POSTGRES_PORT, POSTGRES_DB, POSTGRES_USER, the password, and POSTGRES_SSLMODE"
            " (disable where the server has no TLS)",
        ) from error
    try:
        connection.autocommit = True
        connection.execute_simple(f"SET statement_timeout = '{_STATEMENT_TIMEOUT}'; SET jit = off")
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
        timeout=_ANSWER_SECONDS,
        ssl_context=_tls(database.postgres_sslmode),
        application_name="sheet-to-bigquery",
    )


def _through_connector(database: Database) -> pg8000.dbapi.Connection:
    password = database.postgres_password
    login: dict[str, Any] = {"password": password} if password else {"enable_iam_auth": True}
    try:
        return _connector().connect(
            database.cloud_sql_instance,
            "pg8000",
            user=database.postgres_user,
            db=database.postgres_db,
            timeout=_ANSWER_SECONDS,
            **login,
        )
    except Exception as error:
        # The connector has no base class for its errors, and lets those of aiohttp and google-auth through.
        raise DatabaseUnavailable(
            f"the Cloud SQL connector cannot reach {database.cloud_sql_instance} ({type(error).__name__})",
            "check CLOUD_SQL_INSTANCE and POSTGRES_USER, and grant roles/cloudsql.client and cloudsql.instanceUser",
        ) from error


@functools.cache
def _connector() -> Any:
    """One a process: it keeps the instance's certificates between connections."""
    from google.cloud.sql.connector import Connector

    # "lazy": functions are frozen between invocations, where a background refresh would not run.
    return Connector(refresh_strategy="lazy")


@functools.cache
def _tls(sslmode: str) -> ssl.SSLContext | bool:
    """One a process, as the authorities' certificates take 20 ms to read; the driver takes None for "if there is"."""
    match sslmode:
        case "disable":
            return False
        case "require":  # encrypted, as libpq's mode of that name, without a CA
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
    return ssl.create_default_context()


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
