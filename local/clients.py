"""Google's real client libraries, pointed at a local system, as its throw-away service account.

Apart from the product's own, so that what is checked with them is checked independently.
"""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pg8000.native
from google.oauth2 import service_account

from local.environment import PROJECT
from local.ports import HOST
from local.postgres import DATABASE, USER
from local.system import System

if TYPE_CHECKING:
    from google.cloud import bigquery

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"


class LocalClients:
    """The clients of one running system, each made on first use. For the thread that made them."""

    def __init__(self, system: System) -> None:
        self._system = system

    @functools.cached_property
    def bigquery(self) -> "bigquery.Client":
        """BigQuery, with jobs in the local project."""
        from google.cloud import bigquery

        address = self._system.addresses["bigquery"]
        return bigquery.Client(PROJECT, credentials=self._credentials, client_options={"api_endpoint": address})

    @functools.cached_property
    def sheets(self) -> Any:
        """Sheets v4's `spreadsheets` collection."""
        from googleapiclient.discovery import build

        address = self._system.addresses["sheets"]
        options = {"api_endpoint": address}
        service = build("sheets", "v4", credentials=self._credentials, static_discovery=True, client_options=options)
        return service.spreadsheets()

    @functools.cached_property
    def postgres(self) -> pg8000.native.Connection:
        """An auto-committing connection as the product's role; `run(statement, name=value)` binds `:name`."""
        settings = self._system.settings
        return pg8000.native.Connection(
            USER,
            host=HOST,
            port=int(settings["POSTGRES_PORT"]),
            database=DATABASE,
            password=settings["POSTGRES_PASSWORD"],
            timeout=30,
        )

    @functools.cached_property
    def _credentials(self) -> service_account.Credentials:
        key: Path = self._system.key_file
        return service_account.Credentials.from_service_account_file(key, scopes=[CLOUD_PLATFORM])
