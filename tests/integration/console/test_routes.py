"""What is answered at which address, to whom, and what an action needs before it acts."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from console.rendering import static_address
from console.routes import SITE
from console.security import COOKIE, FIELD
from console.visit import Action, PageMissing, Site, Visit
from shared.errors import DatabaseUnavailable, TableConflict
from tests.integration.console.conftest import WHO, Reader

ReaderOf = Callable[..., Reader]


@pytest.mark.parametrize("path", ["/", "/overview.json", "/nothing"])
def test_nobody_is_shown_no_page(reader_of: ReaderOf, path: str) -> None:
    response = reader_of(None).ask(path)
    assert response.status_code == (404 if path == "/nothing" else 401)
    assert "Set-Cookie" not in response.headers


def test_who_is_let_in_by_cloud_run_is_named_on_the_page(reader_of: ReaderOf) -> None:
    claims = base64.urlsafe_b64encode(b'{"email": "bob@example.com"}').decode().rstrip("=")
    headers = {"Authorization": f"Bearer x.{claims}.SIGNATURE_REMOVED_BY_GOOGLE", "X-Forwarded-Proto": "https"}
    response = reader_of(None, K_SERVICE="console").ask("/", headers=headers)
    assert (response.status_code, "bob@example.com" in response.get_data(as_text=True)) == (200, True)
    # Through `gcloud run services proxy`, to which browsers speak http, whatever Cloud Run says of its own end.
    assert "Secure" not in response.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/overview", 404),
        ("GET", "/static/nothing.js", 404),
        ("GET", "/static/../routes.py", 404),
        ("POST", "/", 405),
        ("DELETE", "/overview.json", 405),
        ("POST", "/static/console.js", 405),
    ],
)
def test_what_is_not_there_is_told_and_safe(reader: Reader, method: str, path: str, status: int) -> None:
    response = reader.ask(path, method)
    assert response.status_code == status
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "Sheet to BigQuery" in response.get_data(as_text=True) or path.endswith(".json")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", "/", "GET, HEAD"), ("GET", "/plans", "POST"), ("PUT", "/configs/7/edit", "GET, HEAD, POST")],
)
def test_a_method_that_does_nothing_is_answered_with_those_that_do(
    reader: Reader, method: str, path: str, allowed: str
) -> None:
    response = reader.ask(path, method)
    assert (response.status_code, response.headers["Allow"]) == (405, allowed)


def test_what_is_not_there_leads_home_and_shows_commands_as_such(reader_of: ReaderOf) -> None:
    def build(_: Visit) -> None:
        raise PageMissing("there is no <b>such</b> run", "`job_helper.py runs` shows them")

    reader = reader_of(site=Site(pages=(replace(SITE.pages[0], build=build),)))
    html = reader.ask("/").get_data(as_text=True)
    assert '<a href="/">Overview</a>' in html
    assert "<code>job_helper.py runs</code> shows them" in html
    assert "&lt;b&gt;such" in html


def test_a_twins_trouble_is_json(reader: Reader) -> None:
    response = reader.ask("/overview.json", query_string={"page": "x"})
    assert response.status_code == 400
    assert json.loads(response.get_data())["error"]["class"] == "InvalidInput"


def test_head_asks_for_what_get_gives(reader: Reader) -> None:
    assert reader.ask("/", "HEAD").status_code == 200


def test_an_answer_is_not_kept_but_files_are_for_ever(reader: Reader) -> None:
    assert reader.ask("/").headers["Cache-Control"] == "no-store"
    file = reader.ask(static_address("console.js"))
    assert (file.status_code, file.mimetype) == (200, "text/javascript")
    assert "immutable" in file.headers["Cache-Control"]
    assert reader.ask("/static/console.css?v=old").headers["Cache-Control"] == "no-cache"
    assert reader.ask(static_address("icon.svg")).mimetype == "image/svg+xml"


def test_files_are_there_for_the_page_that_says_who_is_missing(reader_of: ReaderOf) -> None:
    assert reader_of(None).ask(static_address("console.css")).status_code == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DatabaseUnavailable("the connection broke", "try again"), 503),
        (TableConflict("<b>it</b> is taken", "wait"), 400),
    ],
)
def test_a_pages_trouble_is_told_with_its_remedy(reader_of: ReaderOf, error: Exception, status: int) -> None:
    def build(_: Visit) -> None:
        raise error

    reader = reader_of(site=Site(pages=(replace(SITE.pages[0], build=build),)))
    response = reader.ask("/")
    html = response.get_data(as_text=True)
    assert response.status_code == status
    assert error.remedy in html  # type: ignore[attr-defined]
    assert "<b>it" not in html
    told = json.loads(reader.ask(SITE.pages[0].twin).get_data())["error"]
    assert told == {"class": type(error).__name__, "message": error.what, "remedy": error.remedy}  # type: ignore[attr-defined]


def test_a_mistake_of_ours_is_told_as_one_and_the_log_has_where(
    reader_of: ReaderOf, caplog: pytest.LogCaptureFixture
) -> None:
    def build(_: Visit) -> None:
        raise KeyError("what nobody foresaw")

    reader = reader_of(site=Site(pages=(replace(SITE.pages[0], build=build),)))
    page, twin = reader.ask("/"), reader.ask("/overview.json")
    assert (page.status_code, twin.status_code, twin.mimetype) == (500, 500, "application/json")
    for answered in (page, twin):
        assert "default-src 'none'" in answered.headers["Content-Security-Policy"]
        assert "foresaw" not in answered.get_data(as_text=True)
    assert "the console made a mistake" in page.get_data(as_text=True)
    crashed = [record for record in caplog.records if record.getMessage() == "crashed"]
    assert [str(record.exc_info[1]) for record in crashed if record.exc_info] == ["'what nobody foresaw'"] * 2


def test_on_ones_own_machine_a_page_whose_name_leads_here_sees_nothing(reader: Reader) -> None:
    for path in ("/", "/overview.json"):
        response = reader.ask(path, base_url="http://evil.example.com:8088")
        assert (response.status_code, "Set-Cookie" in response.headers) == (403, False)
        assert "by localhost or 127.0.0.1" in response.get_data(as_text=True)
    assert reader.ask("/", base_url="http://[::1]:8088").status_code == 200


def test_an_action_is_done_for_who_asks_and_leads_on(reader_of: ReaderOf) -> None:
    done = []

    def act(visit: Visit) -> str:
        done.append((visit.who, visit.path["config_id"], visit.form["hours"]))
        return "/configs/7"

    reader = reader_of(site=Site(pages=SITE.pages, actions=(Action("/configs/<int:config_id>/frequency", act),)))
    form = {"hours": "4", FIELD: "token"}
    forged = reader.ask("/configs/7/frequency", "POST", data=form)
    assert (forged.status_code, done) == (403, [])
    response = reader.ask("/configs/7/frequency", "POST", data=form, headers={"Cookie": f"{COOKIE}=token"})
    assert (response.status_code, response.headers["Location"]) == (303, "/configs/7")
    assert done == [(WHO, 7, "4")]
    assert reader.ask("/configs/7/frequency").status_code == 405
    assert reader.ask("/configs/seven/frequency", "POST").status_code == 404
