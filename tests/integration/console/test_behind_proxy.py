"""Behind Identity-Aware Proxy, the console's process serves whom that has signed for, and nobody else."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from local.postgres import Postgres
from shared.ledger.connection import connect
from shared.settings import Database
from tests.integration.conftest import created
from tests.integration.console.proxy_keys import (
    AUDIENCE,
    KEY_ID,
    KEYS_HOST,
    KEYS_PATH,
    KeysProxy,
    Signer,
    Trouble,
    forged,
    headers,
)
from tests.integration.console.serving import Served, assert_ours, encoded_claims, serving, settings

Start = Callable[[], AbstractContextManager[Served]]
OURS, ANOTHER = Signer(), Signer()
ES256 = {"alg": "ES256", "kid": KEY_ID}


@pytest.fixture(scope="module")
def proxied(staged: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeysProxy]:
    with KeysProxy(tmp_path_factory.mktemp("proxy"), {KEY_ID: OURS.public}) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def ledger(postgres: Postgres, template: Database) -> Iterator[Database]:
    """A database of the module's own, with a config."""
    with created(postgres, f"TEMPLATE {template.postgres_db} STRATEGY file_copy") as database:
        run(
            database,
            "INSERT INTO sheet_to_bigquery_configs (id, name, google_sheet_url, google_cloud_project_id,"
            " bigquery_dataset_id, bigquery_table_id)"
            " VALUES (7, 'sales', 'https://docs.google.com/spreadsheets/d/abcdefghij/edit', 'test-project', 'd', 't')",
        )
        yield database


def run(database: Database, statement: str) -> list[list[object]]:
    with connect(database) as connection:
        return list(connection.execute_simple(statement).rows or [])


@pytest.fixture(scope="module")
def start(staged: Path, proxied: KeysProxy, ledger: Database, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """A console of Cloud Run's behind the proxy: it finds the keys as it would there, but by our way out."""
    behind = {
        "K_SERVICE": "console",
        "CONSOLE_AUDIENCE": AUDIENCE,
        "HTTPS_PROXY": proxied.address,
        "REQUESTS_CA_BUNDLE": str(proxied.authority),
    }
    return lambda: serving(staged, tmp_path_factory.mktemp("console"), settings(ledger) | behind)


@pytest.fixture(scope="module")
def console(start: Start, proxied: KeysProxy) -> Iterator[Served]:
    with start() as served:
        yield served


def test_whom_the_proxy_signed_for_is_shown_the_page_and_acts_by_that_name(
    console: Served, proxied: KeysProxy, ledger: Database
) -> None:
    page = console.client.get("/", headers=headers(OURS.word()))
    assert (page.status_code, "ann@example.com" in page.text) == (200, True)
    assert "Secure" in page.headers["Set-Cookie"]
    assert proxied.asked == [f"{KEYS_HOST}:443{KEYS_PATH}"]
    word = headers(OURS.word(email="bob@example.com"))
    answer = console.send("/configs/7/pause", "/configs/7/pause", word, reason="it moves")
    assert answer.status_code == 303
    assert run(ledger, "SELECT action, acted_by, config_id FROM sheet_to_bigquery_actions") == [
        ["pause", "bob@example.com", 7]
    ]
    assert len(proxied.asked) == 1
    assert OURS.word()[:40] not in console.log


def old() -> dict[str, int]:
    return {"iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600}


@pytest.mark.parametrize(
    "word",
    [
        pytest.param(lambda: OURS.word(aud="/projects/123/locations/us-central1/services/other"), id="another service"),
        pytest.param(lambda: OURS.word(iss="https://accounts.google.com"), id="another issuer"),
        pytest.param(lambda: OURS.word(**old()), id="expired"),
        pytest.param(lambda: OURS.word(iat=int(time.time()) + 3600, exp=int(time.time()) + 7200), id="not yet"),
        pytest.param(lambda: OURS.word(email=None), id="no address"),
        pytest.param(lambda: OURS.word(key_id="b"), id="unknown key"),
        pytest.param(ANOTHER.word, id="another's key"),
        pytest.param(lambda: forged({"alg": "none", "kid": KEY_ID}), id="no algorithm"),
        pytest.param(lambda: forged({"alg": "HS256", "kid": KEY_ID}, OURS.public), id="the public key as a secret"),
        pytest.param(lambda: forged(ES256), id="no signature"),
        pytest.param(lambda: forged(ES256, OURS.public), id="a wrong signature"),
        pytest.param(lambda: forged([]), id="a list for a header"),
        pytest.param(lambda: forged("ES256"), id="a text for a header"),
        pytest.param(lambda: forged(None), id="null for a header"),
        pytest.param(lambda: forged({"alg": "ES256", "kid": [KEY_ID]}), id="a list for a key"),
        pytest.param(lambda: "a.b.c", id="nonsense"),
        pytest.param(lambda: "", id="nothing in it"),
    ],
)
def test_no_other_word_lets_anybody_in_with_a_token_beside_or_without(word: Callable[[], str], console: Served) -> None:
    beside = {"Authorization": f"Bearer x.{encoded_claims('ann@example.com')}.SIGNATURE_REMOVED_BY_GOOGLE"}
    for more in ({}, beside, {"Authorization": f"Bearer {OURS.word()}"}):
        for path in ("/", "/overview.json"):
            answer = console.client.get(path, headers={**headers(word()), **more})
            assert_ours(answer, 401)
            assert "Set-Cookie" not in answer.headers
            assert "sales" not in answer.text


@pytest.mark.parametrize("name", ["Authorization", "X-Serverless-Authorization", "X-Goog-Authenticated-User-Email"])
def test_no_other_header_lets_anybody_in(name: str, console: Served) -> None:
    for value in (
        f"Bearer {OURS.word()}",
        f"Bearer x.{encoded_claims('ann@example.com')}.SIGNATURE_REMOVED_BY_GOOGLE",
        "accounts.google.com:ann@example.com",
    ):
        assert_ours(console.client.get("/", headers={name: value}), 401)
    assert_ours(console.client.get("/"), 401)
    assert_ours(console.client.post("/configs/7/resume", headers={name: "x"}), 401)


def test_while_the_keys_cannot_be_had_nobody_is_let_in_and_the_page_says_so(start: Start, proxied: KeysProxy) -> None:
    def ask(path: str = "/") -> httpx.Response:
        return console.client.get(path, headers=headers(OURS.word()))

    troubles: tuple[Trouble, ...] = ("refuses", "fails", "nonsense", "is another")
    with start() as console:
        try:
            for proxied.trouble in troubles:
                for path in ("/", "/overview.json"):
                    answer = ask(path)
                    assert_ours(answer, 503)
                    assert "keys could not be had" in answer.text.replace("&#39;", "'")
        finally:
            proxied.trouble = ""
        assert ask().status_code == 200
        assert console.log.count('"ServiceUnavailable"') == 2 * len(troubles)
