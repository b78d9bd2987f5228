"""A real HTTP server that hears notices, and runs whose ends are news."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared.ledger.store import Store
from shared.run import Failure

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LINK = "https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=7&range=C17"
FAILURE = Failure(
    "SchemaViolated", f"config 1: Sales!C17 is no number (open {LINK}): correct the cells", False, "correct the cells"
)


class Listener:
    """What came, and how to answer: a status with a body, or a way to be slow."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.answer: tuple[int, bytes] = (200, b'{"ok": true}')
        self.slowly: str = ""
        self.hurry = threading.Event()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.paths.append(self.path)
                listener.headers.append(dict(self.headers))
                listener.heard.append(json.loads(body))
                if listener.slowly == "hangs":
                    listener.hurry.wait(60)
                    return
                status, told = listener.answer
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                for byte in told:
                    self.wfile.write(bytes([byte]))
                    if listener.slowly == "drips" and listener.hurry.wait(1):
                        return

            def log_message(self, *_: Any) -> None:
                """Nothing on the test's output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    thread = threading.Thread(target=listening.server.serve_forever, daemon=True)
    thread.start()
    yield listening
    listening.hurry.set()
    listening.server.shutdown()
    listening.server.server_close()
    thread.join()


@pytest.fixture
def end(store: Store, add_config: Callable[..., int], add_run: Callable[..., str]) -> Callable[..., str]:
    """Ends a run of a config: failed for good, or succeeded; its id. The next call is of the same config, later."""
    config_ids: dict[str, int] = {}
    hours = iter(range(1, 1000))

    def make(outcome: str = "failed", name: str = "sales", pause_after: int = 0, failure: Failure = FAILURE) -> str:
        if name not in config_ids:
            config_ids[name] = add_config(name, bigquery_table_id=f"t{len(config_ids)}")
        at = NOON + timedelta(hours=next(hours))
        run_id = add_run(config_ids[name], at, state="queued", destination=f"p.d.t{run_number(config_ids, name)}")
        standing = store.find_run(run_id)
        run = store.claim(standing, standing.config(), "p", "US", at, timedelta(0), timedelta(0))
        if outcome == "failed":
            store.fail(run, failure, at, None, None, pause_after)
        else:
            details = {"columns": [], "content_hash": None, "details": None, "tell": outcome == "told"}
            store.succeed(run, at, execution=None, verdict="loaded", rows=1234, **details)
        return run_id

    return make


def run_number(config_ids: dict[str, int], name: str) -> int:
    return list(config_ids).index(name)


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    """What an action gives, and how many seconds it took."""
    begun = time.monotonic()
    given = action()
    return given, time.monotonic() - begun
