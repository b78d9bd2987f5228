"""Which credentials an environment has: ADC, the older service's key, anonymous elsewhere, or a clear error."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import AnonymousCredentials

from shared.clients import LEGACY_KEY, SCOPES, Clients, find_credentials
from shared.errors import CredentialsMissing, InvalidSettings
from shared.settings import Endpoints

GOOGLE = Endpoints()
ELSEWHERE = Endpoints(sheets_api_endpoint="http://127.0.0.1:1", bigquery_emulator_host="http://127.0.0.1:2")


@pytest.fixture(autouse=True)
def _nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials of the machine's: neither gcloud's file nor the metadata server."""
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", LEGACY_KEY):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def key_of() -> Callable[[str], dict[str, Any]]:
    """A service-account key, as Google's console gives it, for the address of that name."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    def make(name: str) -> dict[str, Any]:
        return {
            "type": "service_account",
            "project_id": "test-project",
            "private_key_id": "1",
            "private_key": private.decode(),
            "client_email": f"{name}@test-project.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": "http://127.0.0.1:1/token",
        }

    return make


@pytest.fixture
def adc(key_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment with a key file in GOOGLE_APPLICATION_CREDENTIALS."""
    path = tmp_path / "key.json"
    path.write_text(json.dumps(key_of("adc")))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}


@pytest.mark.parametrize("endpoints", [GOOGLE, ELSEWHERE])
def test_application_default_credentials_come_with_the_scopes_that_a_run_needs(adc, endpoints: Endpoints) -> None:
    credentials: Any = find_credentials(adc, endpoints)
    assert credentials.service_account_email.startswith("adc@")
    assert set(credentials.scopes) == set(SCOPES)


def test_the_older_services_key_still_works(key_of) -> None:
    credentials: Any = find_credentials({LEGACY_KEY: json.dumps(key_of("legacy"))}, GOOGLE)
    assert credentials.service_account_email.startswith("legacy@")
    assert set(credentials.scopes) == set(SCOPES)


def test_an_explicit_key_file_goes_before_the_older_services_key(adc, key_of) -> None:
    credentials: Any = find_credentials({**adc, LEGACY_KEY: json.dumps(key_of("legacy"))}, GOOGLE)
    assert credentials.service_account_email.startswith("adc@")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: "hunter2",
        lambda key: "[]",
        lambda key: '"hunter2"',
        lambda key: "7",
        lambda key: "null",
        lambda key: "{}",
        lambda key: json.dumps(key | {"private_key": "hunter2"}),
        lambda key: json.dumps(key | {"private_key": 7}),
        lambda key: json.dumps(key | {"private_key": None}),
        lambda key: json.dumps({name: value for name, value in key.items() if name != "client_email"}),
    ],
)
def test_a_spoilt_key_is_named_by_its_variable_and_never_quoted(spoil, key_of) -> None:
    with pytest.raises(InvalidSettings, match=f"{LEGACY_KEY} is not a service-account key") as caught:
        find_credentials({LEGACY_KEY: spoil(key_of("legacy"))}, GOOGLE)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_without_credentials_other_endpoints_are_called_anonymously() -> None:
    assert isinstance(find_credentials({}, ELSEWHERE), AnonymousCredentials)
    assert find_credentials({LEGACY_KEY: ""}, ELSEWHERE).__class__ is AnonymousCredentials


@pytest.mark.parametrize(
    "endpoints",
    [
        GOOGLE,
        Endpoints(sheets_api_endpoint="http://127.0.0.1:1"),
        Endpoints(bigquery_emulator_host="http://127.0.0.1:2"),
    ],
)
def test_google_is_never_called_anonymously(endpoints: Endpoints) -> None:
    with pytest.raises(CredentialsMissing, match="gcloud auth application-default login"):
        find_credentials({}, endpoints)


@pytest.mark.parametrize("content", [None, "", "hunter2", "[]", "{}", '{"type": "service_account"}'])
def test_a_key_file_that_is_named_and_cannot_be_used_is_never_passed_over(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key.json"
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(CredentialsMissing) as caught:
        find_credentials({"GOOGLE_APPLICATION_CREDENTIALS": str(path)}, ELSEWHERE)
    assert "hunter2" not in str(caught.value)


def test_clients_tell_the_address_that_spreadsheets_are_shared_with(adc) -> None:
    assert Clients(adc).identity == "adc@test-project.iam.gserviceaccount.com"


def test_anonymous_clients_have_no_address() -> None:
    environ = {"SHEETS_API_ENDPOINT": "http://127.0.0.1:1", "BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:2"}
    assert Clients(environ).identity == ""
