"""Each fault of a hop does what its name says: whether the server heard, and what the client got."""

import http.client
import socket
import socketserver
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from local.ports import HOST, direct
from tests.faults.hops import http_faults
from tests.faults.hops.hops import Hops
from tests.faults.hops.http import Act, Exchange
from tests.faults.hops.rules import Rule
from tests.faults.hops.stream import StreamFault

heard: list[bytes] = []


class _Web(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        heard.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"answered")

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while chunk := self.request.recv(1000):
            heard.append(chunk)
            self.request.sendall(chunk)


@contextmanager
def in_front_of(name: str, server: socketserver.BaseServer) -> Iterator[tuple[Hops, list[Exchange]]]:
    """A hop with this name in front of the server, and what was observed at it."""
    heard.clear()
    observed: list[Exchange] = []
    hops = Hops(1, observed.append)
    server.daemon_threads = True  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hops.detour(name, server.server_address[1])
    try:
        yield hops, observed
    finally:
        hops.stop()
        server.shutdown()
        server.server_close()


def post(port: int) -> str:
    """The answer's body; of what went wrong, the name or the status."""
    try:
        with direct.open(f"http://{HOST}:{port}/x", b"asked", timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.code)
    except (OSError, http.client.HTTPException) as error:
        return type(getattr(error, "reason", error)).__name__


def received(client: socket.socket) -> bytes:
    """What came; nothing where the connection is broken."""
    try:
        return client.recv(10)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    ("act", "times_heard", "got"),
    [
        (http_faults.refuse(429), 0, "429"),
        (http_faults.refuse_late(503), 1, "503"),
        (http_faults.swallow(), 0, "OK"),
        (http_faults.lose_request, 0, "ConnectionResetError|RemoteDisconnected"),
        (http_faults.lose_reply, 1, "ConnectionResetError|RemoteDisconnected"),
        (http_faults.repeat(3), 3, "answered"),
        (http_faults.delay(0.1), 1, "answered"),
        (http_faults.hang(0.1), 0, "ConnectionResetError|RemoteDisconnected"),
        (http_faults.truncate, 1, "IncompleteRead"),
        (http_faults.altered(bytes.upper), 1, "answered"),
    ],
)
def test_an_http_fault(act: Act, times_heard: int, got: str) -> None:
    with in_front_of("run", ThreadingHTTPServer((HOST, 0), _Web)) as (hops, observed):
        hops["run"].add(Rule("it", act, lambda request: request.method == "POST", most=1))
        assert post(hops.ports["run"]) in got.split("|")
        assert len(heard) == times_heard
        assert post(hops.ports["run"]) == "answered"
        assert [exchange.fault for exchange in observed] == ["it", None]
        assert hops.struck() == {"it": 1}


@pytest.mark.parametrize(
    ("kind", "was_heard", "got"), [("cut", False, b""), ("lose_reply", True, b""), ("delay", True, b"said")]
)
def test_a_streams_fault(kind: Any, was_heard: bool, got: bytes) -> None:
    with in_front_of("pubsub", socketserver.ThreadingTCPServer((HOST, 0), _Echo)) as (hops, _):
        hops["pubsub"].add(Rule("it", StreamFault(kind, 0.1), lambda chunk: chunk == b"said", most=1))
        with socket.create_connection((HOST, hops.ports["pubsub"]), timeout=5) as client:
            client.sendall(b"said")
            assert (received(client), heard == [b"said"]) == (got, was_heard)


def test_a_closed_stream_lets_nobody_in_until_it_is_opened() -> None:
    with in_front_of("postgres", socketserver.ThreadingTCPServer((HOST, 0), _Echo)) as (hops, _):
        hops.close_stream("postgres")
        with socket.create_connection((HOST, hops.ports["postgres"]), timeout=5) as client:
            assert received(client) == b""
        hops.open_stream("postgres")
        with socket.create_connection((HOST, hops.ports["postgres"]), timeout=5) as client:
            client.sendall(b"said")
            assert received(client) == b"said"
