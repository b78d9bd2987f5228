"""The server as a real process over a folder of workbooks, and Google's own client for it."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httplib2
import xlsxwriter
from googleapiclient.discovery import build

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "local" / "samples"
SECONDS_TO_END = 10


@dataclass
class Server:
    """One server; `log` is what it wrote to stderr."""

    process: subprocess.Popen[str]
    url: str
    log_file: Path
    spreadsheets: Any = field(init=False)
    files: Any = field(init=False)

    def __post_init__(self) -> None:
        # Without credentials the client asks the environment's; a bare Http sends none.
        sheets = build(
            "sheets",
            "v4",
            static_discovery=True,
            http=httplib2.Http(),
            client_options={"api_endpoint": self.url},
        )
        drive = build(
            "drive",
            "v3",
            static_discovery=True,
            http=httplib2.Http(),
            client_options={"api_endpoint": f"{self.url}/drive/v3/"},
        )
        self.spreadsheets = sheets.spreadsheets()
        self.files = drive.files()

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def get(self, spreadsheet_id: str, cells: str, **options: str) -> dict[str, Any]:
        """values.get."""
        request = self.spreadsheets.values().get(spreadsheetId=spreadsheet_id, range=cells, **options)
        return request.execute()

    def values(self, spreadsheet_id: str, cells: str, **options: str) -> list[list[Any]]:
        return self.get(spreadsheet_id, cells, **options).get("values", [])


@contextmanager
def running(folder: Path, log_file: Path, *options: str) -> Iterator[Server]:
    """A server over the folder, from its first answer until SIGTERM."""
    command = [sys.executable, "-m", "local.sheets", "--port", "0", "--folder", str(folder), *options]
    with log_file.open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stderr=log, text=True)
    try:
        yield Server(process, _address(process, log_file), log_file)
    finally:
        process.terminate()
        process.wait(SECONDS_TO_END)


def _address(process: subprocess.Popen[str], log_file: Path) -> str:
    while process.poll() is None:
        found = re.search(r"serving on (http://\S+)", log_file.read_text())
        if found:
            return found[1]
    raise RuntimeError(f"the server ended: {log_file.read_text()}")


def write_workbook(path: Path, tabs: Mapping[str, Sequence[Sequence[Any]]], **options: Any) -> Path:
    """A workbook of plain values; a pair is a value and its number format."""
    with xlsxwriter.Workbook(path, options) as book:
        for title, rows in tabs.items():
            sheet = book.add_worksheet(title)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    value, pattern = cell if isinstance(cell, tuple) else (cell, None)
                    shape = book.add_format({"num_format": pattern}) if pattern else None
                    if value is not None:
                        sheet.write(row, column, value, shape)
    return path
