"""What PostgreSQL refuses, as the product's errors: what is missing, and nothing of what a row holds."""

import re
import socket
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pg8000.native
import pytest

from local.ports import HOST
from local.postgres import Postgres
from shared.errors import DatabaseUnavailable, InvalidSettings, LedgerRefused, PermissionMissing, SyncError
from shared.ledger.connection import Session, connect
from shared.ledger.store import open_store
from shared.settings import Database

# https://www.postgresql.org/docs/17/protocol-message-formats.html: StartupMessage, where SSLRequest has 1234 and 5679.
STARTS = (3).to_bytes(2) + (0).to_bytes(2)
SECRET = "tell-nobody-4711"
POISON = (
    "INSERT INTO sheet_to_bigquery_messages (message_id, received_at, verdict, reason, body)"
    " VALUES (:message_id, now(), :verdict, :reason, :body)"
)


@pytest.fixture
def session(migrated: Database) -> Iterator[Session]:
    with connect(migrated) as connection:
        yield Session(connection, migrated.configs_table)


@pytest.fixture
def runtime(postgres: Postgres, migrated: Database) -> Iterator[Database]:
    """The migrated database for a role of the functions' own, which nobody has granted anything."""
    name = f"runtime_of_{migrated.postgres_db}"
    admin = pg8000.native.Connection(
        "postgres", host=HOST, port=postgres.port, database=migrated.postgres_db, password=postgres.password
    )
    admin.run(f"CREATE ROLE {name} LOGIN PASSWORD 'runtime'")
    yield msgspec.structs.replace(migrated, postgres_user=name, postgres_password="runtime")
    admin.run(f"DROP OWNED BY {name}; DROP ROLE {name}")
    admin.close()


def test_a_role_without_rights_is_told_the_grants_that_it_needs(runtime: Database, session: Session) -> None:
    with open_store(runtime) as store:
        now = store.now()
        with pytest.raises(PermissionMissing) as caught:
            store.count_verdicts(now)
        grants = re.search(r"GRANT (.* ON .*) TO it, and (.* ON .*), and (.* ON .*)$", str(caught.value))
        assert grants
        for each in grants.groups():
            session.run(f"GRANT {each} TO {runtime.postgres_user}")
        assert store.count_verdicts(now) == {}
        store.record_poison("m1", "nobody understands it", b"{}", now)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            {"message_id": "m1", "verdict": "poison", "reason": None, "body": SECRET},
            "SQLSTATE 23514, constraint poison_has_a_reason, table sheet_to_bigquery_messages",
        ),
        (
            {"message_id": "m1", "verdict": "accepted", "reason": SECRET, "body": None},
            "SQLSTATE 23502, table sheet_to_bigquery_messages, column body",
        ),
    ],
)
def test_a_row_that_is_refused_is_told_by_its_constraint_and_never_quoted(
    values: dict[str, str | None], told: str, session: Session
) -> None:
    check_refused(session, POISON, told, **values)


def test_a_row_that_is_there_already_is_not_quoted_either(session: Session) -> None:
    values = {"message_id": SECRET, "verdict": "accepted", "reason": None, "body": ""}
    session.run(POISON, **values)
    check_refused(session, POISON, "SQLSTATE 23505, constraint sheet_to_bigquery_messages_pkey", **values)


def test_a_value_of_the_wrong_type_is_not_quoted(session: Session) -> None:
    check_refused(session, "SELECT CAST(CAST(:value AS text) AS integer)", "SQLSTATE 22P02", value=SECRET)


def check_refused(session: Session, statement: str, told: str, **parameters: str | None) -> None:
    with pytest.raises(LedgerRefused) as caught:
        session.run(statement, **parameters)
    assert told in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SELECT * FROM nothing", InvalidSettings),
        ("SELECT nothing FROM {configs}", InvalidSettings),
        ("SELECT pg_terminate_backend(pg_backend_pid())", DatabaseUnavailable),
        ("DO $$ BEGIN RAISE deadlock_detected; END $$", DatabaseUnavailable),
    ],
)
def test_what_is_missing_is_told_apart_from_what_passes(
    statement: str, error: type[SyncError], session: Session
) -> None:
    with pytest.raises(error) as raised:
        session.run(statement)
    # Whoever asked at a terminal or on a page is the one who tries again: nobody else does.
    assert (raised.value.remedy == "try again") == (error is DatabaseUnavailable)


def test_where_tls_is_disabled_it_is_not_asked_for(database: Database) -> None:
    """A server that offers it all the same would be slowed by it."""
    with socket.create_server((HOST, 0)) as listening, ThreadPoolExecutor(1) as pool:
        heard = pool.submit(first_words, listening)
        elsewhere = msgspec.structs.replace(database, postgres_port=listening.getsockname()[1])
        with pytest.raises(DatabaseUnavailable), connect(elsewhere):
            pass
    assert heard.result() == STARTS


def first_words(listening: socket.socket) -> bytes:
    """What a client says after the length of it; it is hung up on."""
    client, _ = listening.accept()
    with client:
        return client.recv(8)[4:]
