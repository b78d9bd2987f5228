"""A server that fails in the ways that Google's, its proxies and networks do."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build

Answer = Callable[[BaseHTTPRequestHandler], None]


class FaultyServer(ThreadingHTTPServer):
    """Gives its answers one after another, the last one for ever."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.seen = 0

    def service(self, name: str, version: str) -> Any:
        """A Google service that is this server."""
        options = {"api_endpoint": f"http://127.0.0.1:{self.server_address[1]}"}
        return build(name, version, credentials=AnonymousCredentials(), static_discovery=True, client_options=options)


class _Handler(BaseHTTPRequestHandler):
    server: FaultyServer

    def do_GET(self) -> None:
        answers = self.server.answers
        self.server.seen += 1
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    with FaultyServer() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()


def body(content: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), "Content-Type": "application/json", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = True

    return answer


def error(status: int, reason: str = "", name: str = "") -> Answer:
    told = {"code": status, "message": "a message that may quote 4711", "status": name, "errors": [{"reason": reason}]}
    return body(json.dumps({"error": told}).encode(), status)


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Closes with RST, as a broken connection ends."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()
