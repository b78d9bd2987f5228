"""What every request meets: credentials, quota, compression, unknown paths and parameters, many at once."""

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from googleapiclient.errors import HttpError

from tests.local.sheets.serving import ROOT, Server, write_workbook

Serve = Callable[..., Server]


def test_it_answers_ok_as_soon_as_it_serves(samples: Server) -> None:
    answer = httpx.get(f"{samples.url}/")
    assert (answer.status_code, answer.text) == (200, "Ok")


def test_answers_are_compressed_where_the_client_takes_it(samples: Server) -> None:
    url = f"{samples.url}/v4/spreadsheets/inventory/values/Stock"
    packed = httpx.get(url, headers={"Accept-Encoding": "gzip"})
    plain = httpx.get(url, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 3


def test_answers_are_indented_unless_that_is_turned_off(samples: Server) -> None:
    url = f"{samples.url}/v4/spreadsheets/roster/values/A1:B2"
    assert b'\n  "range": "Roster!A1:B2"' in httpx.get(url).content
    compact = httpx.get(url, params={"prettyPrint": "false"}).content
    assert compact.startswith(b'{"range":"Roster!A1:B2","majorDimension":"ROWS","values":[["Team","Name"]')


def test_a_mask_narrows_values_too(samples: Server) -> None:
    answer = samples.get("roster", "A1", fields="values")
    assert answer == {"values": [["Team"]]}


@pytest.mark.parametrize("parameter", ["valueRenderOptions", "range", "major_dimension"])
def test_a_parameter_that_does_not_exist_is_a_400(samples: Server, parameter: str) -> None:
    answer = httpx.get(f"{samples.url}/v4/spreadsheets/roster/values/A1", params={parameter: "x"})
    assert answer.status_code == 400
    assert f'Unknown name "{parameter}"' in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v4/spreadsheet/roster", 404),
        ("GET", "/v5/spreadsheets/roster", 404),
        ("GET", "/drive/v3/about", 404),
        ("PUT", "/v4/spreadsheets/roster/values/A1", 405),
        ("POST", "/v4/spreadsheets/roster:batchUpdate", 405),
    ],
)
def test_what_is_not_served_is_refused_in_google_s_form(samples: Server, method: str, path: str, code: int) -> None:
    answer = httpx.request(method, f"{samples.url}{path}")
    assert answer.status_code == code
    assert answer.json()["error"]["code"] == code


def test_a_token_is_asked_for_where_the_server_was_told_to(serve: Serve, folder: Path) -> None:
    write_workbook(folder / "s.xlsx", {"T": [["here"]]})
    server = serve("--require-auth")
    with pytest.raises(HttpError) as refused:
        server.get("s", "A1")
    assert refused.value.status_code == 401
    url = f"{server.url}/v4/spreadsheets/s/values/A1"
    assert httpx.get(url, headers={"Authorization": "Bearer ya29.x"}).json()["values"] == [["here"]]
    assert httpx.get(f"{server.url}/").text == "Ok"


def test_reads_beyond_the_quota_are_a_429_and_a_batch_is_one_read(serve: Serve, folder: Path) -> None:
    write_workbook(folder / "s.xlsx", {"T": [["here"]]})
    server = serve("--reads-per-minute", "3")
    server.spreadsheets.values().batchGet(spreadsheetId="s", ranges=["A1"] * 20).execute()
    server.spreadsheets.get(spreadsheetId="s").execute()
    server.get("s", "A1")
    with pytest.raises(HttpError) as refused:
        server.get("s", "A1")
    assert refused.value.status_code == 429
    assert refused.value.reason.startswith("Quota exceeded for quota metric 'Read requests'")
    [detail] = refused.value.error_details
    assert detail["reason"] == "RATE_LIMIT_EXCEEDED"
    assert detail["metadata"]["quota_limit_value"] == "3"
    assert server.files.get(fileId="s").execute()["id"] == "s"


def test_a_hundred_spreadsheets_are_served_to_several_clients_at_once(serve: Serve, folder: Path) -> None:
    for number in range(100):
        write_workbook(folder / f"s{number}.xlsx", {"T": [[number, "x"]] * 20})
    server = serve()

    def read(number: int) -> object:
        url = f"{server.url}/v4/spreadsheets/s{number}/values/T"
        return client.get(url, params={"valueRenderOption": "UNFORMATTED_VALUE"}).json()["values"]

    with httpx.Client() as client, ThreadPoolExecutor(8) as clients:
        assert list(clients.map(read, range(100))) == [[[number, "x"]] * 20 for number in range(100)]


def test_it_ends_cleanly_on_sigterm(serve: Serve) -> None:
    server = serve()
    with httpx.Client() as held_open:
        held_open.get(f"{server.url}/")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(5) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--folder", "/no/such/folder"), "/no/such/folder is not a folder"),
        (("--folder", ".", "--reads-per-minute", "0"), "a quota is at least 1"),
    ],
)
def test_options_that_cannot_be_are_named(options: tuple[str, ...], message: str) -> None:
    command = [sys.executable, "-m", "local.sheets", "--port", "0", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert message in ended.stderr
