"""The stand-in as a real process, with Sheets, BigQuery and the token endpoint that it needs, and a portal's pushes."""

import base64
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter
from google.cloud import bigquery
from google.oauth2 import service_account

from local.component import Component, answers, wait_until_ready
from local.credentials import identity_token, write_key
from local.ports import HOST, reserve_port

REPOSITORY = Path(__file__).resolve().parents[3]
PROJECT = "local-project"


class Portal:
    """Pushes messages as Pub/Sub does, and looks at what became of the tables."""

    def __init__(self, url: str, key_file: Path, folder: Path, bigquery_url: str) -> None:
        self.url = url
        self.key_file = key_file
        self._folder = folder
        credentials = service_account.Credentials.from_service_account_file(str(key_file), scopes=["all"])
        self.bigquery = bigquery.Client(PROJECT, credentials=credentials, client_options={"api_endpoint": bigquery_url})

    def write(self, name: str, rows: Sequence[Sequence[Any]], tab: str = "Sheet1") -> None:
        with xlsxwriter.Workbook(self._folder / f"{name}.xlsx") as workbook:
            worksheet = workbook.add_worksheet(tab)
            for number, row in enumerate(rows):
                worksheet.write_row(number, 0, row)

    def message(self, name: str, **more: Any) -> dict[str, Any]:
        """The portal's message for a config whose spreadsheet and table are `name`."""
        return {
            "id": 7,
            "name": name,
            "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{name}/edit#gid=0",
            "google_sheet_tab_name": "Sheet1",
            "google_cloud_project_id": PROJECT,
            "bigquery_dataset_id": "reports",
            "bigquery_table_id": name,
            "schema_handling": "auto_detect",
            "custom_schema": None,
        } | more

    def push(self, message: Any, token: str | None = None, seconds: float = 30) -> httpx.Response:
        """POST the message's envelope; with an ID token for the service, unless another token is given."""
        data = base64.b64encode(json.dumps(message).encode()).decode()
        envelope = {"message": {"data": data, "messageId": "1", "attributes": {}}, "subscription": "s"}
        token = identity_token(self.key_file, self.url) if token is None else token
        return self.post(envelope, {"Authorization": f"Bearer {token}"}, seconds)

    def post(self, body: Any, headers: dict[str, str], seconds: float = 30) -> httpx.Response:
        return httpx.post(f"{self.url}/sheet-to-bigquery", json=body, headers=headers, timeout=seconds, trust_env=False)

    def order(self, **faults: Any) -> None:
        httpx.post(f"{self.url}/faults", json=faults, trust_env=False).raise_for_status()

    def rows(self, name: str) -> list[dict[str, Any]]:
        found = self.bigquery.query_and_wait(f"SELECT * FROM `{PROJECT}.reports.{name}`")
        return [dict(row.items()) for row in found]

    def unique(self) -> str:
        return f"sales_{uuid.uuid4().hex[:8]}"


def _server(name: str, folder: Path, make: Callable[[str], list[str]]) -> Component:
    port = reserve_port()
    url = f"http://{HOST}:{port}"
    return Component(
        name=name,
        command=[sys.executable, "-m", f"local.{name}", "--port", str(port), *make(url)],
        environment={"PATH": os.environ["PATH"]},
        folder=REPOSITORY,
        log=folder / f"{name}.log",
        ready=lambda: answers(url),
        address=url,
    )


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    folder = tmp_path_factory.mktemp("service")
    samples, key_file = folder / "samples", folder / "key.json"
    samples.mkdir()
    credentials = _server("credentials", folder, lambda _: ["--key-file", str(key_file)])
    write_key(key_file, PROJECT, f"{credentials.address}/token")
    sheets = _server("sheets", folder, lambda _: ["--folder", str(samples), "--require-auth"])
    warehouse = _server("bigquery", folder, lambda _: ["--data", str(folder / "bigquery"), "--require-auth"])
    places = ["--key-file", str(key_file), "--sheets", sheets.address, "--bigquery", warehouse.address]
    service = _server("service", folder, lambda url: [*places, "--audience", url, "--faults"])
    components = [credentials, sheets, warehouse, service]
    try:
        for each in components:
            each.start()
        wait_until_ready(components, seconds=30)
        yield Portal(service.address, key_file, samples, warehouse.address)
    finally:
        for each in components:
            each.stop()
