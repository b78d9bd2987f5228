"""What the real gcloud sends for the commands that make something is what Google describes of its APIs."""

import json
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.deploy.deployment import CLOUD_SQL, HOST, MORE, PROJECT, gcloud_commands, plan
from tests.deploy.discovery import Api
from tests.deploy.linter import find_gcloud_here, gcloud_environment

OVERRIDDEN = (
    "cloudresourcemanager",
    "serviceusage",
    "cloudfunctions",
    "cloudscheduler",
    "iam",
    "iap",
    "logging",
    "monitoring",
    "run",
    "secretmanager",
)
# The group of commands that makes something, and which API of which version it calls.
MAKES = {
    "run jobs create": ("run", "v1"),
    "functions deploy": ("cloudfunctions", "v2"),
    "scheduler jobs create": ("cloudscheduler", "v1"),
    "logging metrics create": ("logging", "v2"),
    "logging sinks create": ("logging", "v2"),
    "alpha monitoring policies create": ("monitoring", "v3"),
    "monitoring dashboards create": ("monitoring", "v1"),
    "beta monitoring channels create": ("monitoring", "v3"),
    "iam roles create": ("iam", "v1"),
    "iam service-accounts create": ("iam", "v1"),
    "secrets create": ("secretmanager", "v1"),
    "beta run services update": ("run", "v1"),
    "beta iap web add-iam-policy-binding": ("iap", "v1"),
}
# What `gcloud functions deploy` asks for before it makes one.
RUNTIMES = {"runtimes": [{"name": "python311", "stage": "GA", "environment": "GEN_2"}]}
# What `gcloud run services update` changes.
SERVICE = {
    "apiVersion": "serving.knative.dev/v1",
    "kind": "Service",
    "metadata": {"name": "sheettobigquery-console", "namespace": "123456789012"},
    "spec": {"template": {"spec": {"containers": [{"image": "an-image"}]}}},
}
UPLOAD = {"storageSource": {"bucket": "gcf-v2-sources", "object": "source.zip"}}


class Recorder(BaseHTTPRequestHandler):
    """Keeps what is sent, and refuses it: nobody waits for what becomes of it."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if path.endswith("/runtimes"):
            self._send(200, RUNTIMES)
        elif path.endswith(":generateUploadUrl"):
            self._send(200, UPLOAD | {"uploadUrl": f"http://127.0.0.1:{self.server.server_address[1]}/upload"})  # type: ignore[attr-defined]
        elif path == f"/v1/projects/{PROJECT}":
            self._send(200, {"projectId": PROJECT, "projectNumber": "123456789012", "lifecycleState": "ACTIVE"})
        elif path.endswith("/services/sheettobigquery-console") and self.command == "GET":
            self._send(200, SERVICE)
        elif path.endswith(":getIamPolicy") or path == "/upload":
            self._send(200, {})
        elif self.command == "GET":
            self._send(404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "there is none"}})
        else:
            self.server.sent.append((self.command, path, json.loads(body)))  # type: ignore[attr-defined]
            self._send(400, {"error": {"code": 400, "status": "FAILED_PRECONDITION", "message": "it was kept"}})

    do_GET = do_POST = do_PUT = do_PATCH = _answer

    def _send(self, code: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def google() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        server.sent = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def plans() -> list[str]:
    iap = plan("viewer", "user:ann@example.com", "--console-access=iap")
    return [*plan(*HOST, *MORE, "--console-access=iap"), *plan(*CLOUD_SQL, "--create-instance=yes"), *iap]


def making(group: str, plans: list[str]) -> list[str]:
    """The plans' lines that make something of a kind; of those that differ in values alone, one."""
    found = [line for line in plans if f"gcloud {group} " in line]
    return list({shape(line): line for line in found}.values())


def shape(line: str) -> tuple[frozenset[str], ...]:
    """A line's flags, and the fields of the JSON that it sends."""
    flags = {word.partition("=")[0] for word in shlex.split(line) if word.startswith("--")}
    return frozenset(flags), frozenset(re.findall(r'"(\w+)":', line))


def send(google: ThreadingHTTPServer, folder: Path, line: str) -> list[tuple[str, str, Any]]:
    """What the real gcloud sends for a line of a plan."""
    port = google.server_address[1]
    endpoints = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}": f"http://127.0.0.1:{port}/" for api in OVERRIDDEN}
    # gcloud puts the region before Run's host.
    endpoints["CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN"] = f"http://run.localhost:{port}/"
    environment = gcloud_environment(folder) | endpoints
    environment |= {"http_proxy": f"http://127.0.0.1:{port}", "no_proxy": "127.0.0.1"}
    environment |= {"CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true"}
    words = shlex.split(gcloud_commands(line)[-1])[1:]
    text = subprocess.run(
        ["bash", "-c", line.rpartition(" | gcloud ")[0] or "true"],
        env={"PATH": "/usr/bin:/bin", "slack_accessToken": "xoxb-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    google.sent.clear()  # type: ignore[attr-defined]
    done = subprocess.run(
        [find_gcloud_here(), *words],
        env=environment,
        cwd=folder,
        input=text.stdout,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert google.sent, done.stderr + line  # type: ignore[attr-defined]
    return list(google.sent)  # type: ignore[attr-defined]


@pytest.mark.parametrize("group", MAKES)
def test_what_gcloud_sends_is_what_google_describes(
    google: ThreadingHTTPServer, plans: list[str], tmp_path: Path, group: str
) -> None:
    for name in ("dispatch", "launch", "complete", "console"):
        source = tmp_path / "build" / name
        source.mkdir(parents=True)
        (source / "main.py").write_text("")
        (source / "requirements.txt").write_text("")
    lines = making(group, plans)
    assert lines
    for line in lines:
        for method, path, body in send(google, tmp_path, line):
            assert Api(*MAKES[group]).problems(method, path, body) == [], line


def test_a_wrong_request_is_seen() -> None:
    scheduler = Api("cloudscheduler", "v1")
    place = "/v1/projects/p/locations/l/jobs"
    assert scheduler.problems("POST", place, {"schedule": "* * * * *", "httpTarget": {"httpMethod": "POST"}}) == []
    assert scheduler.problems("POST", place, {"shedule": "x", "httpTarget": {"httpMethod": "SEND"}}) == [
        "body.shedule is not known",
        "body.httpTarget.httpMethod is SEND, none of"
        " HTTP_METHOD_UNSPECIFIED, POST, GET, HEAD, PUT, DELETE, PATCH, OPTIONS",
    ]
    assert scheduler.problems("POST", place, {"retryConfig": {"retryCount": "0"}}) == [
        "body.retryConfig.retryCount is str, not integer"
    ]
    assert scheduler.problems("POST", f"{place}/x:dance", {}) == [
        f"POST {place}/x:dance is no method of cloudscheduler:v1"
    ]
