"""Spreadsheets whose every version is known, and so told apart by any one of its rows."""

import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from tests.faults.checker.history import SheetVersion
from tests.faults.witness import texts

# In every text and header: what is found anywhere else has leaked.
MARK = "Xq7Secret"
HEADERS = (f"{MARK} id", f"{MARK} version", f"{MARK} text", f"{MARK} mixed")


class Sheet:
    """One spreadsheet; `write` makes its next version, at once and whole, as an editor's save does."""

    def __init__(self, folder: Path, scratch: Path, name: str, seed: int) -> None:
        self.name = name
        self.versions: list[SheetVersion] = []
        self._path = folder / f"{name}.xlsx"
        self._scratch = scratch / f"{name}.xlsx"
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._order = list(range(len(HEADERS)))

    @property
    def newest(self) -> SheetVersion:
        return self.versions[-1]

    def write(self, rows: int | None = None) -> None:
        """The next version, of so many rows (a few, if that is not said)."""
        with self._lock:
            number = len(self.versions)
            count = self._random.randint(3, 9) if rows is None else rows
            self._put([self._row(number, index) for index in range(count)])

    def swap_columns(self) -> None:
        with self._lock:
            self._random.shuffle(self._order)
        self.write()

    def _row(self, version: int, index: int) -> list[Any]:
        text = f"{MARK}{self._random.getrandbits(32):08x}"
        # A column of numbers and texts is read a second time, as it is shown: an edit may come between.
        mixed: Any = index * 1000 + version if index % 2 else f"{MARK}{version}"
        return [index, version, text, mixed]

    def _put(self, rows: Sequence[Sequence[Any]]) -> None:
        ordered = [[row[column] for column in self._order] for row in rows]
        with xlsxwriter.Workbook(self._scratch) as workbook:
            worksheet = workbook.add_worksheet("Sheet1")
            for number, row in enumerate([[HEADERS[column] for column in self._order], *ordered]):
                worksheet.write_row(number, 0, row)
        began = time.time()
        self._scratch.replace(self._path)
        if self.versions:
            last = self.versions[-1]
            # Until after the new one was there: whoever asked in between got the one or the other.
            self.versions[-1] = SheetVersion(last.spreadsheet, last.began, time.time(), last.rows)
        self.versions.append(SheetVersion(self.name, began, None, texts(HEADERS, rows)))
