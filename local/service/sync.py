"""What the older service does with a message: one `values.get`, one load that replaces the table."""

import io
import re
from collections.abc import Sequence

import pyarrow
import pyarrow.parquet
from google.api_core.exceptions import GoogleAPIError
from google.cloud import bigquery
from google.oauth2 import service_account
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from local.service.message import Failed, Wanted

SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/spreadsheets.readonly",
)
# Where it makes a dataset that is missing.
LOCATION = "US"
Row = tuple[str | None, ...]


class Syncs:
    """The service's clients of Sheets and BigQuery, at the addresses given."""

    def __init__(self, key_file: str, sheets: str, bigquery_address: str) -> None:
        self._credentials = service_account.Credentials.from_service_account_file(key_file, scopes=SCOPES)
        self._sheets = sheets
        self._bigquery = bigquery_address

    def run(self, wanted: Wanted) -> None:
        """Reads the sheet and replaces the table. Raises `Failed`."""
        try:
            if wanted.has_types:
                raise Failed("the values are text, and the custom schema has other types")
            self._load(wanted, *table_of(self._read(wanted)))
        except (HttpError, GoogleAPIError, OSError, ValueError) as error:
            raise Failed(f"{type(error).__name__}") from error

    def _read(self, wanted: Wanted) -> list[list[str]]:
        service = build(
            "sheets",
            "v4",
            credentials=self._credentials,
            static_discovery=True,
            client_options={"api_endpoint": self._sheets},
        )
        spreadsheets, of = service.spreadsheets(), {"spreadsheetId": wanted.spreadsheet}
        title = wanted.google_sheet_tab_name
        if not title:
            found = spreadsheets.get(**of, fields="sheets.properties.title").execute()
            title = found["sheets"][0]["properties"]["title"]
        quoted = title.replace("'", "''")
        answer = spreadsheets.values().get(**of, range=f"'{quoted}'", valueRenderOption="FORMATTED_VALUE").execute()
        values: list[list[str]] = answer.get("values", [])
        return values

    def _load(self, wanted: Wanted, names: Sequence[str], rows: Sequence[Row]) -> None:
        client = bigquery.Client(
            wanted.google_cloud_project_id,
            credentials=self._credentials,
            client_options={"api_endpoint": self._bigquery},
        )
        dataset = bigquery.Dataset(f"{wanted.google_cloud_project_id}.{wanted.bigquery_dataset_id}")
        dataset.location = LOCATION
        client.create_dataset(dataset, exists_ok=True)
        job_config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            schema=[bigquery.SchemaField(name, "STRING") for name in names],
        )
        client.load_table_from_file(_parquet(names, rows), wanted.table, job_config=job_config).result()


def table_of(values: Sequence[Sequence[str]]) -> tuple[list[str], list[Row]]:
    """Column names and rows, as a DataFrame of the rows below row 1 has them. Raises `Failed`.

    A row that ends early has no values there; a row in the middle that is blank has none at all. What is blank before
    a row's last value is an empty text.
    """
    if not values:
        raise Failed("the sheet is empty")
    header, *lines = values
    names = [_standard_name(text) for text in header]
    if len({name.lower() for name in names}) < len(names):
        raise Failed("two columns have the same name")
    if any(len(line) > len(header) for line in lines):
        raise Failed("a row has more values than there are columns")
    return names, [(*line, *[None] * (len(header) - len(line))) for line in lines]


def _standard_name(header: str) -> str:
    """A header as BigQuery's default map of column names, V1, makes it: our local server has only the strict one.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#columnnamecharactermap
    """
    return re.sub("^(?=[0-9])", "_", re.sub("[^a-zA-Z0-9_]", "_", header))


def _parquet(names: Sequence[str], rows: Sequence[Row]) -> io.BytesIO:
    columns = [[row[index] for row in rows] for index in range(len(names))]
    arrays = [pyarrow.array(column, pyarrow.string()) for column in columns]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(arrays, names=list(names)), file)
    file.seek(0)
    return file
