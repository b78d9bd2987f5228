"""What a form has to prove, and what every answer tells browsers."""

from typing import Any

import flask
import pytest
from werkzeug.test import EnvironBuilder

from console.security import COOKIE, FIELD, ForeignForm, checked_form, form_token, keep_token, secure


def form(
    cookie: str | None = "token", field: str | None = "token", headers: dict[str, str] | None = None
) -> flask.Request:
    builder = EnvironBuilder(
        path="/configs/7/run",
        method="POST",
        base_url="https://console.example.com",
        data={FIELD: field} if field is not None else {},
        headers={**({"Cookie": f"{COOKIE}={cookie}"} if cookie is not None else {}), **(headers or {})},
    )
    return flask.Request(builder.get_environ())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://console.example.com"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"},
    ],
)
def test_a_form_of_our_own_page_is_taken(headers: dict[str, str]) -> None:
    checked_form(form(headers=headers))


@pytest.mark.parametrize(
    "sent",
    [
        {"cookie": None},
        {"field": None},
        {"cookie": "", "field": ""},
        {"field": "another"},
        {"field": "tökén"},
        {"headers": {"Sec-Fetch-Site": "cross-site"}},
        {"headers": {"Sec-Fetch-Site": "same-site"}},
        {"headers": {"Sec-Fetch-Site": "none"}},
        {"headers": {"Origin": "https://evil.example.com"}},
        {"headers": {"Origin": "null"}},
        {"headers": {"Origin": "http://["}},
    ],
)
def test_any_other_form_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(ForeignForm):
        checked_form(form(**sent))


def test_a_browser_keeps_its_token() -> None:
    assert form_token(form(cookie="kept")) == "kept"
    one, other = form_token(form(cookie=None)), form_token(form(cookie=None))
    assert one != other
    assert len(one) >= 32


@pytest.mark.parametrize("by_https", [True, False])
def test_no_script_and_no_other_site_gets_at_the_token(by_https: bool) -> None:
    response = flask.Response()
    keep_token(response, "token", by_https=by_https)
    attributes = response.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    assert ("Secure" in attributes) == by_https


def test_every_answer_lets_nothing_in_but_our_own_files() -> None:
    headers = secure(flask.Response()).headers
    policy = dict(directive.split(" ", 1) for directive in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src", "form-action")} == {"'self'"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
