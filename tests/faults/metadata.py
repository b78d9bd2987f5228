"""The metadata server of Cloud Run, from which a container gets its identity without a clock.

An assertion that is signed with a key says when it was made, and Google refuses one of an hour ago, or to come (so does
`local.credentials`). A process whose clock is wrong works on Cloud Run all the same, because it signs nothing.
https://cloud.google.com/run/docs/container-contract#metadata-server
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.environment import PROJECT
from local.ports import HOST

TOKEN = "ya29.faults-c1b7e"
_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default"
_EMAIL = f"sheet-to-bigquery@{PROJECT}.iam.gserviceaccount.com"
_ANSWERS: dict[str, Any] = {
    "/": None,
    "/computeMetadata/v1/project/project-id": PROJECT,
    f"{_ACCOUNT}/": {"email": _EMAIL, "aliases": ["default"], "scopes": []},
    f"{_ACCOUNT}/token": {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"},
    f"/computeMetadata/v1/instance/service-accounts/{_EMAIL}/token": {
        "access_token": TOKEN,
        "expires_in": 3599,
        "token_type": "Bearer",
    },
}


class Metadata:
    """Serves until `stop`."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer((HOST, 0), _Answering)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="metadata", daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        """The environment in which Google's libraries find it, and no key file.

        Who has its identity from here also asks iamcredentials.googleapis.com whether it is bound to a region, and
        goes on without an answer: nothing of a test leaves the machine.
        """
        address = f"{HOST}:{self._server.server_address[1]}"
        return {
            "GCE_METADATA_HOST": address,
            "GCE_METADATA_IP": address,
            "GOOGLE_APPLICATION_CREDENTIALS": "",
            "HTTPS_PROXY": f"http://{HOST}:9",  # where nobody listens
            "NO_PROXY": HOST,
        }

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        known = path in _ANSWERS
        answer = _ANSWERS.get(path)
        body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(200 if known else 404)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", "application/text" if isinstance(answer, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on the harness's output."""
