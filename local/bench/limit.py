"""A sketch of the physical limit: what any client of these two libraries has to do, as cheaply as can be.

Blocks of columns as they are, gzip, the next one downloaded ahead; msgspec, Arrow, one Parquet row group a block;
one upload. It reads every cell once. It knows no dates, names, errors, ragged or blank rows, and neither retries nor
paces nor checks: it is no way to load a sheet, but the least that one can cost. Where a block's types are
not the first one's, it gives up.

It is run by the job's Python, takes the job's environment, and imports nothing of this repository.
"""

import gc
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import google.auth
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from google.auth.transport.requests import AuthorizedSession
from google.cloud import bigquery

BLOCK_CELLS = 400_000
SCOPES = ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/spreadsheets.readonly"]


class Block(msgspec.Struct):
    values: list[msgspec.Raw] = []


class Grid(msgspec.Struct, rename="camel"):
    row_count: int
    column_count: int


class Properties(msgspec.Struct, rename="camel"):
    title: str
    grid_properties: Grid


class Tab(msgspec.Struct):
    properties: Properties


class Spreadsheet(msgspec.Struct):
    sheets: list[Tab]


def main() -> None:
    gc.disable()
    pa.set_cpu_count(1)
    credentials, _ = google.auth.default(scopes=SCOPES)
    blocks = read(AuthorizedSession(credentials), os.environ["GOOGLE_SHEET_URL"], os.environ["GOOGLE_SHEET_TAB_NAME"])
    file = as_parquet(blocks)
    project = os.environ["GOOGLE_CLOUD_PROJECT_ID"]
    client = bigquery.Client(project=project, credentials=credentials)
    table = f"{project}.{os.environ['BIGQUERY_DATASET_ID']}.{os.environ['BIGQUERY_TABLE_ID']}"
    settings = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE")
    job = client.load_table_from_file(pa.BufferReader(file), table, size=file.size, job_config=settings)
    job.result()
    print(f"loaded {job.output_rows} rows")


def read(session: AuthorizedSession, url: str, title: str) -> Iterator[list[msgspec.Raw]]:
    """The rows below the header, block after block, as the JSON of their columns."""
    match = re.search(r"/d/([\w-]+)", url)
    if match is None:
        raise SystemExit("GOOGLE_SHEET_URL is not the address of a spreadsheet")
    spreadsheet = f"{os.environ['SHEETS_API_ENDPOINT']}/v4/spreadsheets/{match[1]}"
    answer = session.get(spreadsheet, params={"fields": "sheets.properties(title,gridProperties)"})
    tabs = msgspec.json.decode(answer.content, type=Spreadsheet).sheets
    grid = next(tab.properties.grid_properties for tab in tabs if tab.properties.title == title)
    rows = BLOCK_CELLS // grid.column_count
    rendering = {"majorDimension": "COLUMNS", "valueRenderOption": "UNFORMATTED_VALUE", "prettyPrint": "false"}

    def download(first: int) -> list[msgspec.Raw]:
        cells = quote(f"'{title}'!{first}:{min(first + rows - 1, grid.row_count)}", safe="")
        answer = session.get(f"{spreadsheet}/values/{cells}", params=rendering)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Block).values

    with ThreadPoolExecutor(max_workers=1) as ahead:
        following = ahead.submit(download, 2)
        for first in range(2, grid.row_count + 1, rows):
            block = following.result()
            if first + rows <= grid.row_count:
                following = ahead.submit(download, first + rows)
            if block:
                yield block


def as_parquet(blocks: Iterator[list[msgspec.Raw]]) -> pa.Buffer:
    decode = msgspec.json.Decoder(list).decode
    sink = pa.BufferOutputStream()
    writer: pq.ParquetWriter | None = None
    for block in blocks:
        columns = [decode(bytes(raw).replace(b',""', b",null").replace(b'[""', b"[null")) for raw in block]
        rows = max(map(len, columns))
        arrays = [pa.array(cells + [None] * (rows - len(cells))) for cells in columns]
        if writer is None:
            schema = pa.schema([(f"column_{number}", array.type) for number, array in enumerate(arrays)])
            writer = pq.ParquetWriter(sink, schema, compression="zstd")
        writer.write_table(pa.Table.from_arrays(arrays, schema=writer.schema))
    if writer is None:
        raise SystemExit("the tab has no rows")
    writer.close()
    return sink.getvalue()


if __name__ == "__main__":
    main()
