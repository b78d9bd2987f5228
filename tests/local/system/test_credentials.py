"""The throw-away service account, through the path that Application Default Credentials take."""

import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import google.auth.exceptions
import pytest
from google.auth import crypt, jwt
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from local.component import Component, answers, wait_until_ready
from local.credentials import identity_token, public_key, write_key
from local.ports import HOST, reserve_port

REPOSITORY = Path(__file__).resolve().parents[3]
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A key whose token endpoint is running."""
    folder = tmp_path_factory.mktemp("credentials")
    url = f"http://{HOST}:{(port := reserve_port())}"
    path = folder / "key.json"
    write_key(path, "example-project", f"{url}/token")
    command = [sys.executable, "-m", "local.credentials", "--port", str(port), "--key-file", str(path)]
    server = Component(
        name="credentials",
        command=command,
        environment={"PATH": os.environ["PATH"]},
        folder=REPOSITORY,
        log=folder / "log",
        ready=lambda: answers(url),
    )
    server.start()
    try:
        wait_until_ready([server], 30)
        yield path
    finally:
        server.stop()


def fetch_token(key_file: Path) -> str:
    credentials = service_account.Credentials.from_service_account_file(key_file, scopes=[SCOPE])
    credentials.refresh(Request())
    return credentials.token


def test_an_id_token_is_given_to_who_names_an_audience(key_file: Path) -> None:
    credentials = service_account.IDTokenCredentials.from_service_account_file(
        str(key_file), target_audience="https://service.example"
    )
    credentials.refresh(Request())
    claims = jwt.decode(credentials.token, certs=public_key(key_file), audience="https://service.example")
    assert claims["email"].startswith("sheet-to-bigquery@")
    assert credentials.valid


def test_a_bearer_token_is_given_for_the_key(key_file: Path) -> None:
    first, second = fetch_token(key_file), fetch_token(key_file)
    assert len(first) > 20
    assert first != second


def test_an_assertion_by_another_key_is_refused(key_file: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged.json"
    write_key(forged, "example-project", json.loads(key_file.read_text())["token_uri"])
    with pytest.raises(google.auth.exceptions.RefreshError, match="invalid_grant"):
        fetch_token(forged)


@pytest.mark.parametrize("seconds", [-3601, 3601])
def test_an_assertion_of_another_hour_is_refused_as_google_does(seconds: int, key_file: Path) -> None:
    account = json.loads(key_file.read_text())
    made = int(time.time()) + seconds
    claims = {"iss": account["client_email"], "iat": made, "exp": made + 3600, "aud": account["token_uri"]}
    assertion = jwt.encode(crypt.RSASigner.from_service_account_info(account), claims).decode()
    body = urlencode({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion})
    answer = Request()(account["token_uri"], "POST", body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status, json.loads(answer.data)["error"]) == (400, "invalid_grant")


def test_only_its_owner_can_read_the_key(key_file: Path) -> None:
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_an_identity_token_names_its_audience_and_is_signed(key_file: Path) -> None:
    token = identity_token(key_file, "https://dispatch.example")
    claims = jwt.decode(token, certs=public_key(key_file), audience="https://dispatch.example")
    assert claims["email"] == "sheet-to-bigquery@example-project.iam.gserviceaccount.com"
