"""A reader of the console's pages, over a real PostgreSQL and without a server between."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import flask
import pytest
from werkzeug.test import EnvironBuilder

from console.routes import SITE, answer
from console.security import COOKIE
from console.visit import Site
from local.functions import stage
from shared.acted import Acted
from shared.errors import ServiceUnavailable
from shared.ledger.connection import connect
from shared.ledger.store import Store
from shared.settings import Database
from shared.wiring import Wiring
from sql import tracking
from tests.integration.console.moving import Add, Moving, Sql
from tests.integration.databases import settings_of
from tests.integration.servers import REPOSITORY

WHO = "ann@example.com"
NOBODYS = "00000000-0000-4000-8000-000000000000"
# Actions of a config, of whose forms no field has to be filled in.
SIMPLE = ("run", "pause", "resume", "plan", "frequency")
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }} \u202egnp.exe"
SHOWN = HOSTILE.replace("\u202e", "\N{REPLACEMENT CHARACTER}")


class Elements(HTMLParser):
    """What a page is made of: its elements with their attributes, its text, and that with a space between elements.

    What stands in a field is that field's own, and no text of the page's.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.words = ""
        self._in_field = False
        self.feed(html)
        self.words = re.sub(r" ([,;:.])", r"\1", " ".join(self.words.split()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_field = tag == "textarea"

    def handle_endtag(self, tag: str) -> None:
        self._in_field = False

    def handle_data(self, data: str) -> None:
        if not self._in_field:
            self.text += data
            self.words += f" {data}"


def assert_inert(html: str) -> Elements:
    """The page's elements, of which none came out of a name; `HOSTILE` is there as text, turning nothing around."""
    page = Elements(html)
    assert SHOWN in page.text
    assert "\u202e" not in page.text
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 1
    assert tags.count("img") == 1
    assert not {"i", "u", "style"} & set(tags)
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert (attributes.get("src") or "/static/").startswith("/static/")
        assert not (attributes.get("href") or "").startswith("javascript:")
    return page


class Posting(Wiring):
    """A deployment whose request topic keeps what it gets, or refuses it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)
        self.published: list[str] = []
        self.planned: list[str] = []
        self.is_broken = False

    def publish(self, run_ids: Sequence[str]) -> None:
        self._refuse()
        self.published += run_ids

    def publish_plan(self, plan_id: str) -> None:
        self._refuse()
        self.planned.append(plan_id)

    def _refuse(self) -> None:
        if self.is_broken:
            raise ServiceUnavailable("Pub/Sub did not take the messages", "try again")


class Reader:
    """Somebody with a browser: asks for pages as `who`, or as nobody."""

    def __init__(self, database: Database, who: str | None = WHO, site: Site = SITE, **settings: str) -> None:
        environ = {
            "GOOGLE_CLOUD_PROJECT": "test-project",
            **settings_of(database),
            **({"CONSOLE_USER": who} if who else {}),
            **settings,
        }
        self.here = Posting(environ)
        self._site = site

    def ask(self, path: str, method: str = "GET", **more: Any) -> flask.Response:
        """The answer to one request."""
        request = flask.Request(EnvironBuilder(path=path, method=method, **more).get_environ())
        return answer(request, lambda: self.here, self._site)

    def page(self, path: str = "/", **asked: Any) -> str:
        """A page's HTML."""
        response = self.ask(f"{path}?{urlencode(asked)}")
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_data(as_text=True)

    def words(self, path: str) -> str:
        """A page's text, with a space between its words and its elements."""
        return Elements(self.page(path)).words

    def facts(self, path: str = "/overview.json", **asked: Any) -> dict[str, Any]:
        """What a page's JSON twin tells."""
        return dict(json.loads(self.page(path, **asked)))

    def row(self, config_id: int) -> dict[str, Any]:
        """What the overview tells of one config."""
        (row,) = (row for row in self.facts()["configs"] if row["id"] == config_id)
        return dict(row)

    def form(self, page: str) -> dict[str, str]:
        """The hidden fields of a page's form, as a browser keeps them, its cookie among them."""
        response = self.ask(page)
        html = response.get_data(as_text=True)
        assert response.status_code == 200, html
        (cookie,) = re.findall(rf"{COOKIE}=([^;]+)", response.headers["Set-Cookie"])
        fields = {unescape(name): unescape(value) for name, value in _HIDDEN.findall(html)}
        return fields | {"cookie": cookie}

    def send(self, address: str, form: Mapping[str, str], **fields: str) -> flask.Response:
        """What comes of sending a page's form, filled in so."""
        sent = {name: value for name, value in form.items() if name != "cookie"} | fields
        headers = {"Cookie": f"{COOKIE}={form['cookie']}", "Sec-Fetch-Site": "same-origin"}
        return self.ask(address, "POST", data=sent, headers=headers)

    def do(self, address: str, page: str | None = None, **fields: str) -> flask.Response:
        """Opens an action's page, or another that has its form, fills it in and sends it."""
        return self.send(address, self.form(page or address), **fields)


def done(response: flask.Response, store: Store) -> Acted:
    """What the ledger has of the action that was answered so."""
    assert response.status_code == 303, response.get_data(as_text=True)
    acted = store.find_action(response.headers["Location"].rpartition("?done=")[2])
    assert acted is not None
    return acted


def refused(reader: Reader, address: str) -> str:
    """Why an action's page says that it cannot be done, in place of a form to send."""
    html = reader.page(address)
    (told,) = re.findall(r'<div class="trouble">(.*?)</div>', html, re.DOTALL)
    assert '<form method="post"' not in html
    return Elements(told).words


def text(response: flask.Response) -> str:
    """What stands on a page, its characters as people see them."""
    return unescape(response.get_data(as_text=True))


def notice(reader: Reader, response: flask.Response) -> str:
    """The line that the page shows to which the action led, on a page that is always there."""
    html = reader.page("/", done=response.headers["Location"].rpartition("?done=")[2])
    (told,) = re.findall(r'<p class="notice[^"]*">(.*)</p>', unescape(html))
    return str(told)


def row(sql: Sql, config_id: int) -> dict[str, Any]:
    """A config's row."""
    return dict(sql("SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c WHERE id = :id", id=config_id)[0][0])


def actions(sql: Sql) -> list[str]:
    """What was done, as the ledger has it, in its order."""
    return [name for (name,) in sql("SELECT action FROM sheet_to_bigquery_actions ORDER BY acted_at")]


def wait_for_a_lock(sql: Sql) -> None:
    """Until somebody waits for what another transaction holds; ten seconds at most."""
    waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    until = time.monotonic() + 10
    while not sql(waits) and time.monotonic() < until:
        time.sleep(0.02)


def asked_for(sql: Sql) -> list[int]:
    """The configs of which runs were recorded by hand, in their order."""
    return [
        each for (each,) in sql("SELECT config_id FROM sheet_to_bigquery_runs WHERE why = 'manual' ORDER BY created_at")
    ]


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The functions as deploy.sh stages them."""
    folder = tmp_path_factory.mktemp("staged")
    stage(REPOSITORY, folder)
    return folder


@pytest.fixture
def reader(migrated: Database) -> Reader:
    return Reader(migrated)


@pytest.fixture
def reader_of(migrated: Database) -> Callable[..., Reader]:
    return lambda *arguments, **settings: Reader(migrated, *arguments, **settings)


@pytest.fixture
def moving(migrated: Database, sql: Sql, add_config: Add, store: Store) -> Moving:
    with connect(migrated) as connection:
        list(tracking.start(connection, migrated.configs_table))
    return Moving(sql, add_config, store)


@pytest.fixture
def now(store: Store) -> datetime:
    return store.now()


def attempt_at(now: datetime) -> dict[str, Any]:
    """What a run in flight has in its row, claimed then."""
    times = dict.fromkeys(("claimed_at", "lease_until", "deadline"), now)
    place = {"job_project": "p", "job_location": "US", "execution": "e"}
    return {"attempt": 1, "had_last_run": False, **times, **place}
