"""The habitual way to load a sheet, as many teams have it: read all as text, one DataFrame, load it.

It is run by the Python of .venv-bench, takes the job's environment, and imports nothing of this repository.
"""

import os
import re

import pandas as pd
from google.cloud import bigquery
from google.oauth2 import service_account
from googleapiclient.discovery import build


def main() -> None:
    credentials = service_account.Credentials.from_service_account_file(
        os.environ["GOOGLE_APPLICATION_CREDENTIALS"],
        scopes=[
            "https://www.googleapis.com/auth/cloud-platform",
            "https://www.googleapis.com/auth/spreadsheets.readonly",
        ],
    )
    frame = read(credentials, os.environ["GOOGLE_SHEET_URL"], os.environ["GOOGLE_SHEET_TAB_NAME"])
    project = os.environ["GOOGLE_CLOUD_PROJECT_ID"]
    client = bigquery.Client(project=project, credentials=credentials)
    table = f"{project}.{os.environ['BIGQUERY_DATASET_ID']}.{os.environ['BIGQUERY_TABLE_ID']}"
    settings = bigquery.LoadJobConfig(write_disposition="WRITE_TRUNCATE")
    job = client.load_table_from_dataframe(frame, table, job_config=settings)
    job.result()
    print(f"loaded {job.output_rows} rows")


def read(credentials: service_account.Credentials, url: str, tab: str) -> pd.DataFrame:
    """The tab with its first row as header; every value is text."""
    match = re.search(r"/d/([\w-]+)", url)
    if match is None:
        raise SystemExit("GOOGLE_SHEET_URL is not the address of a spreadsheet")
    options = {"api_endpoint": os.environ["SHEETS_API_ENDPOINT"]}
    sheets = build("sheets", "v4", credentials=credentials, client_options=options)
    answer = sheets.spreadsheets().values().get(spreadsheetId=match[1], range=tab).execute()
    header, *rows = answer["values"]
    return pd.DataFrame(rows, columns=header)


if __name__ == "__main__":
    main()
