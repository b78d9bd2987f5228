"""The staged console as a process of its own, as Cloud Run starts it, and somebody who speaks HTTP to it."""

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import httpx

from console.security import COOKIE
from local.component import Component, wait_until_ready
from local.functions import function
from local.ports import reserve_port
from shared.settings import Database
from tests.integration.databases import settings_of

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


class Served:
    """A console that runs."""

    def __init__(self, component: Component) -> None:
        self._component = component
        self._cookie = ""
        self.client = httpx.Client(base_url=component.address, trust_env=False, timeout=30)

    @property
    def log(self) -> str:
        return self._component.log.read_text()

    def send(self, address: str, page: str, headers: Mapping[str, str], **fields: str) -> httpx.Response:
        """Opens a page, fills in its form and sends it."""
        return self.post(address, self.form(page, headers) | fields, headers)

    def form(self, page: str, headers: Mapping[str, str] | None = None) -> dict[str, str]:
        """The hidden fields of a page's form."""
        shown = self.client.get(page, headers=headers)
        assert shown.status_code == 200, shown.text
        # A browser keeps a Secure cookie, and httpx does not, where there is no TLS.
        self._cookie = f"{COOKIE}={shown.cookies[COOKIE]}"
        self.client.cookies.clear()
        return {unescape(name): unescape(value) for name, value in _HIDDEN.findall(shown.text)}

    def post(self, address: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Sends a form from the page that was opened last."""
        sent = {**(headers or {}), "Cookie": self._cookie, "Sec-Fetch-Site": "same-origin"}
        return self.client.post(address, data=dict(form), headers=sent)


def settings(database: Database) -> dict[str, str]:
    """What every console is told."""
    return {
        "PATH": os.environ["PATH"],
        "NO_GCE_CHECK": "true",
        "GOOGLE_CLOUD_PROJECT": "test-project",
        **settings_of(database),
    }


@contextmanager
def serving(staged: Path, folder: Path, environment: Mapping[str, str]) -> Iterator[Served]:
    """The console from the folder that deploy.sh staged, for the length of the block."""
    port = reserve_port()
    component = function("console", staged, port, environment, folder / f"console-{port}.log")
    component.start()
    try:
        wait_until_ready([component], seconds=30)
        served = Served(component)
        yield served
        served.client.close()
    finally:
        component.stop()


def assert_ours(answer: httpx.Response, status: int) -> None:
    """An answer of the console's own, whatever it says: never the framework's, which lacks these headers."""
    assert answer.status_code == status, answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    if answer.headers["Content-Type"] == "application/json":
        assert set(answer.json()["error"]) == {"class", "message", "remedy"}
    else:
        assert "Sheet to BigQuery" in answer.text


def encoded_claims(email: str) -> str:
    """The middle of a token, as Cloud Run hands it on."""
    return base64.urlsafe_b64encode(json.dumps({"email": email}).encode()).decode().rstrip("=")
