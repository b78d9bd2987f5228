"""BigQuery behind a door that refuses what an identity may not do: the local server knows no permissions."""

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# As BigQuery words it.
_DENIED = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "Access Denied: Permission denied"}}


@contextmanager
def refusing(address: str, method: str, path: str) -> Iterator[str]:
    """The address of a server that is the one at `address`, but refuses calls whose method and path match."""

    class Door(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if re.fullmatch(method, self.command) and re.search(path, self.path):
                self._answer(403, "application/json", json.dumps(_DENIED).encode())
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            where = f"{address}{self.path}"
            request = urllib.request.Request(where, body or None, headers, method=self.command)  # noqa: S310
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                    self._answer(answer.status, answer.headers.get("Content-Type", ""), answer.read())
            except urllib.error.HTTPError as error:
                self._answer(error.code, error.headers.get("Content-Type", ""), error.read())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Not into the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
