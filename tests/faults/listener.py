"""The people who are to hear of runs' ends: a server that takes what is sent to Slack and to the webhook."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.ports import HOST
from tests.faults.checker.history import Telling
from tests.faults.hops.http import Exchange

CHANNELS = ("slack", "webhook")
# In the environment and in a header; nowhere else.
TOKEN = "xoxb-faults-7f3a9"
# Of the sender four seconds; an answer that a busy machine brought later than this may have come too late.
PATIENCE = 3.0
# As the lines of a chat tell it.
_RUN = re.compile(r"^run ([0-9a-f-]{36}) for ", re.MULTILINE)
_KIND = re.compile(r"\(config \d+\) (failed, and is paused|failed|recovered|succeeded):")


class Listener:
    """Takes every notice; what reached it, and whether the sender got to know that, the hops tell it."""

    def __init__(self) -> None:
        self.tellings: list[Telling] = []
        # All that was sent, also what never arrived.
        self.texts: list[str] = []
        self._server = ThreadingHTTPServer((HOST, 0), _Taking)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="listener", daemon=True).start()

    def observe(self, exchange: Exchange) -> None:
        """In the hops' thread."""
        channel = exchange.hop.name
        if channel not in CHANNELS:
            return
        text = exchange.request.body.decode(errors="replace")
        self.texts.append(text)
        if not exchange.answers:
            return
        run_id, kind = _read_chat(json.loads(text)["text"]) if channel == "slack" else _read_object(json.loads(text))
        in_time = time.time() - exchange.began < PATIENCE
        heard = in_time and exchange.answered is not None and exchange.answered.status < 300
        self.tellings.append(Telling(exchange.began, channel, run_id, kind, heard))

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _read_object(told: dict[str, Any]) -> tuple[str, str]:
    return str(told["run_id"]), str(told["kind"])


def _read_chat(text: str) -> tuple[str, str]:
    run, kind = _RUN.search(text), _KIND.search(text)
    assert run, "a notice without its run"
    assert kind, "a notice that does not say what happened"
    return run[1], "paused" if kind[1].endswith("paused") else kind[1]


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "12")
        self.end_headers()
        self.wfile.write(b'{"ok": true}')

    def log_message(self, *_: Any) -> None:
        """Nothing on the harness's output."""
