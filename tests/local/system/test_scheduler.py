"""Cloud Scheduler's stand-in: who calls dispatch, when, and how."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from google.auth import jwt

from local.credentials import public_key, write_key
from local.scheduler import call, repeat
from tests.local.system.processes import wait_for


class Dispatch(HTTPServer):
    """The dispatch function's stand-in: keeps the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    server: Dispatch

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, dict(self.headers), body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"done")

    def log_message(self, *_: Any) -> None:
        """Not into the tests' output."""


@pytest.fixture
def dispatch() -> Iterator[Dispatch]:
    with Dispatch() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key.json"
    write_key(path, "example-project", "http://127.0.0.1/token")
    return path


def test_a_call_carries_an_identity_token_for_the_function(dispatch: Dispatch, key_file: Path) -> None:
    assert call(dispatch.url, "/run", key_file) == b"done"
    ((path, headers, body),) = dispatch.requests
    assert (path, body) == ("/run", b"")
    scheme, _, token = headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    assert jwt.decode(token, certs=public_key(key_file), audience=dispatch.url)
    assert headers["X-Cloudscheduler"] == "true"


def test_a_call_that_fails_is_not_the_last(dispatch: Dispatch, key_file: Path) -> None:
    ended = threading.Event()
    calls: list[str] = []

    def action() -> None:
        calls.append("called")
        address = "http://127.0.0.1:1" if len(calls) == 1 else dispatch.url
        call(address, "/sweep", key_file)

    clock = threading.Thread(target=repeat, args=(0.05, action, ended))
    clock.start()
    assert wait_for(lambda: dispatch.requests)
    ended.set()
    clock.join()
    assert dispatch.requests[0][0] == "/sweep"
    assert len(calls) >= 2
