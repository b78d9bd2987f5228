"""Google's real client libraries, pointed at a local system, as its throw-away service account.

Apart from the product's own, so that what is checked with them is checked independently.
"""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pg8000.native
from google.oauth2 import service_account

from local.environment import PROJECT
from local.ports import HOST
from local.postgres import DATABASE, USER

if TYPE_CHECKING:
    from google.cloud import bigquery

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"


class LocalClients:
    """The clients of one running system, each made on first use. For the thread that made them."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    @functools.cached_property
    def bigquery(self) -> "bigquery.Client":
        """BigQuery, with jobs in the local project."""
        from google.cloud import bigquery

        address = self._settings["BIGQUERY_EMULATOR_HOST"]
        return bigquery.Client(PROJECT, credentials=self._credentials, client_options={"api_endpoint": address})

    @functools.cached_property
    def sheets(self) -> Any:
        """Sheets v4's `spreadsheets` collection."""
        from googleapiclient.discovery import build

        options = {"api_endpoint": self._settings["SHEETS_API_ENDPOINT"]}
        service = build("sheets", "v4", credentials=self._credentials, static_discovery=True, client_options=options)
        return service.spreadsheets()

    @functools.cached_property
    def postgres(self) -> pg8000.native.Connection:
        """An auto-committing connection as the product's role; `run(statement, name=value)` binds `:name`."""
        return pg8000.native.Connection(
            USER,
            host=HOST,
            port=int(self._settings["POSTGRES_PORT"]),
            database=DATABASE,
            password=self._settings["POSTGRES_PASSWORD"],
            timeout=30,
        )

    @functools.cached_property
    def _credentials(self) -> service_account.Credentials:
        key_file = self._settings["GOOGLE_APPLICATION_CREDENTIALS"]
        return service_account.Credentials.from_service_account_file(key_file, scopes=[CLOUD_PLATFORM])
