"""Who asks: what each deployment believes, and what nobody gets in with."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

import flask
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth import crypt, jwt
from werkzeug.test import EnvironBuilder

from console.identity import ASSERTION, ForeignHost, NotSignedIn, ProxyKeys, identify
from shared.console_settings import Console, read_console
from shared.errors import InvalidSettings

AUDIENCE = "/projects/123/locations/us-central1/services/console"
KEY = ec.generate_private_key(ec.SECP256R1())
BEHIND_PROXY = Console(console_audience=AUDIENCE, k_service="console")
ON_CLOUD_RUN = Console(k_service="console")


def public(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def assertion(key: ec.EllipticCurvePrivateKey = KEY, key_id: str = "a", **changes: Any) -> Mapping[str, str]:
    now = int(time.time())
    claims = {
        "iss": "https://cloud.google.com/iap",
        "aud": AUDIENCE,
        "email": "ann@example.com",
        "iat": now,
        "exp": now + 600,
    } | changes
    token = jwt.encode(crypt.EsSigner(key, key_id), claims)
    return {ASSERTION: token.decode()}


def keys() -> ProxyKeys:
    return ProxyKeys(lambda: {"a": public(KEY)})


def checked(signature: str = "SIGNATURE_REMOVED_BY_GOOGLE", **claims: Any) -> str:
    parts = [{"alg": "RS256"}, {"email": "ann@example.com", "email_verified": True} | claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return f"Bearer {'.'.join([*encoded, signature])}"


def test_the_proxys_signed_word_is_believed() -> None:
    assert identify(assertion(), BEHIND_PROXY, keys()) == "ann@example.com"


def test_a_header_is_found_as_the_web_server_spells_it() -> None:
    received = flask.Request(EnvironBuilder(headers=dict(assertion())).get_environ())
    assert ASSERTION not in dict(received.headers)
    assert identify(dict(received.headers), BEHIND_PROXY, keys()) == "ann@example.com"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {ASSERTION: "nonsense"},
        {ASSERTION: "a.b.c"},
        assertion(ec.generate_private_key(ec.SECP256R1())),
        assertion(key_id="unknown"),
        assertion(aud="/projects/123/locations/us-central1/services/another"),
        assertion(iss="https://accounts.google.com"),
        assertion(iat=int(time.time()) - 7200, exp=int(time.time()) - 3600),
        assertion(email=""),
        {"X-Goog-Authenticated-User-Email": "accounts.google.com:ann@example.com"},
        {"Authorization": checked()},
    ],
    ids=[
        "nothing", "nonsense", "three parts", "another's key", "an unknown key", "another service's",
        "another issuer's", "an old one", "no address", "the unsigned header", "a token around the proxy",
    ],
)  # fmt: skip
def test_nothing_else_gets_in_behind_the_proxy(headers: Mapping[str, str]) -> None:
    with pytest.raises(NotSignedIn):
        identify(headers, BEHIND_PROXY, keys())


def test_a_token_does_not_choose_how_it_is_proved() -> None:
    """With HS256 the public key, which everybody has, would be the secret."""
    header, payload, _ = assertion()[ASSERTION].split(".")
    weak = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "a"}).encode()).decode().rstrip("=")
    for forged in (f"{weak}.{payload}.AAAA", f"{header}.{payload}."):
        with pytest.raises(NotSignedIn):
            identify({ASSERTION: forged}, BEHIND_PROXY, keys())


def test_the_proxys_keys_are_asked_for_when_a_new_one_comes_but_not_for_each_forgery() -> None:
    now, asked = [0.0], []

    def fetch() -> Mapping[str, str]:
        asked.append(now[0])
        return {"a": public(KEY)} if now[0] < 100 else {"b": public(KEY)}

    kept = ProxyKeys(fetch, clock=lambda: now[0])
    for _ in range(3):
        assert identify(assertion(), BEHIND_PROXY, kept) == "ann@example.com"
    for _ in range(3):
        with pytest.raises(NotSignedIn):
            identify(assertion(key_id="b"), BEHIND_PROXY, kept)
    assert asked == [0.0]
    now[0] = 100.0
    assert identify(assertion(key_id="b"), BEHIND_PROXY, kept) == "ann@example.com"
    assert asked == [0.0, 100.0]


def test_the_token_that_cloud_run_checked_is_believed() -> None:
    assert identify({"Authorization": checked()}, ON_CLOUD_RUN, keys()) == "ann@example.com"


def test_of_two_tokens_the_one_that_cloud_run_checks_is_believed() -> None:
    """It lets the other through as it came: anybody could be named there."""
    headers = {"X-Serverless-Authorization": checked(), "Authorization": checked(email="boss@example.com")}
    assert identify(headers, ON_CLOUD_RUN, keys()) == "ann@example.com"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic YW5uOg==",
        "Bearer",
        "Bearer x.y.SIGNATURE_REMOVED_BY_GOOGLE",
        checked(signature="a-signature"),
        checked(email=None),
        checked(email=7),
        checked(email_verified=False),
    ],
)
def test_nothing_else_gets_in_on_cloud_run(authorization: str) -> None:
    with pytest.raises(NotSignedIn):
        identify({"Authorization": authorization}, ON_CLOUD_RUN, keys())


def test_on_a_machine_of_ones_own_the_setting_says_who() -> None:
    for host in ("localhost", "LocalHost:8088", "127.0.0.1:5000", "[::1]", "[::1]:8088"):
        assert identify({"Host": host}, Console(console_user="you@local.test"), keys()) == "you@local.test"


@pytest.mark.parametrize(
    "host",
    ["", "evil.example.com", "evil.example.com:8088", "localhost.evil.example.com", "127.0.0.1.nip.io:8088", "10.0.0.1",
     "localhost:8088@evil.example.com", "evil.example.com\nlocalhost", "[::2]", "::1"],
)  # fmt: skip
def test_a_page_whose_own_name_leads_here_is_nobody(host: str) -> None:
    with pytest.raises(ForeignHost, match="localhost"):
        identify({"Host": host}, Console(console_user="you@local.test"), keys())


def test_elsewhere_whoever_is_named_may_come_by_any_name() -> None:
    host = {"Host": "sheets.example.com"}
    assert identify({**host, **assertion()}, BEHIND_PROXY, keys()) == "ann@example.com"
    assert identify({**host, "Authorization": checked()}, ON_CLOUD_RUN, keys()) == "ann@example.com"


def test_elsewhere_no_header_and_no_token_names_anybody() -> None:
    with pytest.raises(NotSignedIn, match="CONSOLE_USER"):
        identify({"Authorization": checked(), **assertion()}, Console(), keys())


def test_on_cloud_run_nobody_is_everybody() -> None:
    with pytest.raises(InvalidSettings, match="CONSOLE_USER would let everybody act as one person"):
        read_console({"CONSOLE_USER": "you@local.test", "K_SERVICE": "console"})


def test_an_audience_that_the_proxy_cannot_have_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="CONSOLE_AUDIENCE is not the audience"):
        read_console({"CONSOLE_AUDIENCE": "https://console.example.com"})
