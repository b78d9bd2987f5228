"""What the older service's answer, or its silence, makes of a forward: its stand-in's, and a broken connection's."""

import base64
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from local.component import Component, wait_until_ready
from local.credentials import write_key
from local.ports import HOST, reserve_port
from shared.clients import Clients
from shared.errors import CredentialsMissing, InvalidInput, InvalidSettings, PermissionMissing, ServiceFailed, TableBusy
from shared.forward import forward
from shared.ledger.connection import connect
from shared.messages import Envelope
from shared.older_service import NotSent, OlderService, Unanswered
from shared.wiring import Wiring
from sql.tracking import start
from tests.integration.servers import server

SECONDS = 2
# What the portal sends; the stand-in understands nothing less.
WHOLE = json.dumps(
    {
        "google_sheet_url": "https://docs.google.com/spreadsheets/d/abcdefghij/edit",
        "google_cloud_project_id": "local-project",
        "bigquery_dataset_id": "reports",
        "bigquery_table_id": "sales",
    }
).encode()


class Older:
    """The stand-in, with the key that gives ID tokens for it."""

    def __init__(self, component: Component, key_file: Path) -> None:
        self.component = component
        self.key_file = key_file

    def order(self, **faults) -> None:
        httpx.post(f"{self.component.address}/faults", json=faults, trust_env=False).raise_for_status()

    def at(self, url: str | None = None) -> OlderService:
        clients = Clients({"GOOGLE_APPLICATION_CREDENTIALS": str(self.key_file)})
        return OlderService(url or self.component.address, clients.identified, SECONDS)


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Older]:
    folder = tmp_path_factory.mktemp("older")
    key_file = folder / "key.json"
    tokens = server("credentials", folder, ["--key-file", str(key_file)])
    write_key(key_file, "local-project", f"{tokens.address}/token")
    nobody = f"http://{HOST}:9"  # what it would load is no part of these tests
    options = ["--key-file", str(key_file), "--sheets", nobody, "--bigquery", nobody, "--faults", "--audience"]
    service = server("service", folder, options)
    service.command = [*service.command, service.address]
    for each in (tokens, service):
        each.start()
    try:
        wait_until_ready([tokens, service], seconds=30)
        yield Older(service, key_file)
    finally:
        for each in (service, tokens):
            each.stop()


@pytest.fixture
def forwarded(bench, older: Older, migrated, add_config, monkeypatch) -> Callable[..., str]:
    """Forwards the message `m1` of a config of the service's."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(older.key_file))  # the library reads it itself
    with connect(migrated) as connection:
        list(start(connection, migrated.configs_table))
    data = json.dumps(json.loads(WHOLE) | {"id": add_config(), "secret cell": "4711"}).encode()
    message = {"data": base64.b64encode(data).decode(), "messageId": "m1", "attributes": {}}

    def act(service: OlderService | None = None) -> str:
        settings = bench.with_settings(service_timeout_seconds=SECONDS)
        return forward(
            Envelope("m1", data), message, bench.wiring.store, service or older.at(), bench.publish, settings
        )

    return act


@pytest.fixture
def noted(sql) -> Callable[[], tuple]:
    """The forward's status, and whether it is open."""

    def read() -> tuple:
        told = "SELECT status, ended_at IS NULL AND open_until > now() FROM sheet_to_bigquery_forwards"
        return tuple(sql(told)[0])

    return read


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that talks once, as `talk` does."""
    with closing(socket.create_server((HOST, 0))) as listener:

        def serve() -> None:
            conversation, _ = listener.accept()
            with closing(conversation):
                talk(conversation)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://{HOST}:{listener.getsockname()[1]}"
        thread.join(timeout=10)


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (500, ServiceFailed, "the older service answers 500"),
        (400, ServiceFailed, "the older service answers 400"),
        (404, ServiceFailed, "the older service answers 404"),
        (429, ServiceFailed, "the older service answers 429"),
        (302, ServiceFailed, "the older service answers 302"),
        (403, PermissionMissing, "roles/run.invoker"),
        (401, PermissionMissing, "roles/run.invoker"),
    ],
)
def test_a_refusal_ends_the_forward_and_the_message_comes_again(forwarded, older, noted, status, error, told) -> None:
    older.order(failing=3, status=status)
    with pytest.raises(error, match=told):
        forwarded()
    assert noted() == (status, False)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_cloud_run_says_of_a_service_that_it_lost_is_no_answer(forwarded, older, noted, status: int) -> None:
    older.order(failing=1, status=status)
    with pytest.raises(ServiceFailed, match="may be at work still"):
        forwarded()
    assert noted() == (None, True)
    with pytest.raises(TableBusy, match="may be at the older service still"):
        forwarded()


def test_a_service_that_never_answers_leaves_the_forward_open(forwarded, older, noted) -> None:
    older.order(hanging=1)
    began = time.monotonic()
    with pytest.raises(Unanswered):
        forwarded()
    assert SECONDS <= time.monotonic() - began < SECONDS + 5
    assert noted() == (None, True)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n"])
def test_a_connection_that_breaks_leaves_the_forward_open(forwarded, older, noted, said: bytes) -> None:
    def talk(conversation: socket.socket) -> None:
        conversation.recv(65536)
        conversation.sendall(said)

    with listening(talk) as url, pytest.raises(Unanswered):
        forwarded(older.at(url))
    assert noted() == (None, True)


def test_a_service_that_is_not_there_has_done_nothing(forwarded, older, noted) -> None:
    with pytest.raises(NotSent, match="check SERVICE_URL"):
        forwarded(older.at(f"http://{HOST}:{reserve_port()}"))
    assert noted() == (None, False)


def test_a_service_that_speaks_no_tls_may_have_done_anything(forwarded, older, noted) -> None:
    def talk(conversation: socket.socket) -> None:
        conversation.recv(65536)
        conversation.sendall(b"no TLS here")

    with listening(talk) as url, pytest.raises(Unanswered):
        forwarded(older.at(url.replace("http://", "https://")))
    assert noted() == (None, True)


def test_a_message_that_was_held_up_since_it_was_noted_is_not_sent(forwarded, older, noted) -> None:
    """The forward would end while the older service is at work still, and a run could begin."""

    class HeldUp(OlderService):
        def post(self, message, begun: float) -> int:
            return super().post(message, begun - 60)

    clients = Clients({"GOOGLE_APPLICATION_CREDENTIALS": str(older.key_file)})
    with pytest.raises(NotSent, match="took too long"):
        forwarded(HeldUp(older.component.address, clients.identified, SECONDS))
    assert noted() == (None, False)


def test_no_connection_to_postgresql_is_held_while_the_service_is_at_work(forwarded, older, sql) -> None:
    mine = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    counts = []

    def talk(conversation: socket.socket) -> None:
        conversation.recv(65536)
        deadline = time.monotonic() + 5
        while sql(mine) != before and time.monotonic() < deadline:
            time.sleep(0.05)
        counts.append(sql(mine))
        conversation.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    before = sql(mine)
    with listening(talk) as url:
        assert forwarded(older.at(f"{url}/")) == "forwarded"
    assert counts == [before]


def test_without_a_token_nothing_is_sent(forwarded, older, noted, tmp_path, monkeypatch) -> None:
    write_key(tmp_path / "another.json", "local-project", json.loads(older.key_file.read_text())["token_uri"])
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "another.json"))
    with pytest.raises(NotSent, match="gives no ID token"):
        forwarded()
    assert noted() == (None, False)


def test_without_anybody_to_be_it_says_so(forwarded, older, noted, monkeypatch) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    with pytest.raises(CredentialsMissing, match="nobody is found"):
        forwarded(OlderService(older.component.address, Clients({}).identified, SECONDS))
    assert noted() == (None, False)


def test_the_older_services_own_key_identifies_us_too(forwarded, older, monkeypatch) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    clients = Clients({"google_cloud_hkdreporting": older.key_file.read_text()})
    older.order(failing=1, status=200)
    assert forwarded(OlderService(older.component.address, clients.identified, SECONDS)) == "forwarded"


def test_a_token_for_another_address_is_refused(forwarded, older) -> None:
    """As where SERVICE_URL is not the service's own address."""
    with pytest.raises(PermissionMissing, match="check that SERVICE_URL is its address"):
        forwarded(older.at(older.component.address.replace(HOST, "localhost")))


def test_the_message_arrives_as_it_was_published_with_a_token(forwarded, older, caplog) -> None:
    caplog.set_level(logging.INFO, logger="sheet_to_bigquery")
    heard = []

    def talk(conversation: socket.socket) -> None:
        received = b""
        while not received.endswith(b"}}"):
            received += conversation.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        heard.extend([head.decode().splitlines(), json.loads(body)])
        conversation.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with listening(talk) as url:
        assert forwarded(older.at(f"{url}/")) == "forwarded"
    headers, body = heard
    assert headers[0] == "POST /sheet-to-bigquery HTTP/1.1"
    assert any(line.lower().startswith("authorization: bearer ey") for line in headers)
    assert list(body) == ["message"]
    assert json.loads(base64.b64decode(body["message"].pop("data")))["secret cell"] == "4711"
    assert body["message"] == {"messageId": "m1", "attributes": {}}
    [line] = [each for each in caplog.records if each.msg == "forwarded"]
    assert line.fields["message_id"] == "portal/m1"
    assert line.fields["status"] == 204
    assert "4711" not in caplog.text + str([each.__dict__ for each in caplog.records])


def test_a_message_that_names_no_config_is_not_understood(bench, older) -> None:
    with pytest.raises(InvalidInput, match="the portal's message: config_id is missing"):
        forward(Envelope("m1", b"{}"), {}, bench.wiring.store, older.at(), bench.publish, bench.settings)


def test_forwarding_without_knowing_the_service_says_which_setting_is_missing(bench) -> None:
    with pytest.raises(InvalidSettings, match="SERVICE_URL is missing"):
        _ = bench.wiring.older_service


def test_the_service_is_called_as_the_settings_say(migrated, older, monkeypatch) -> None:
    environ = {
        **os.environ,
        "GOOGLE_APPLICATION_CREDENTIALS": str(older.key_file),
        "GOOGLE_CLOUD_PROJECT": "local-project",
        "POSTGRES_DB": "d",
        "POSTGRES_USER": "u",
        "POSTGRES_HOST": HOST,
        "SERVICE_URL": older.component.address,
        "SERVICE_TIMEOUT_SECONDS": "3",
    }
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(older.key_file))
    older.order(failing=1, status=418)
    message = {"data": base64.b64encode(WHOLE).decode()}
    assert Wiring(environ).older_service.post(message, time.monotonic()) == 418
