"""Writes the sample spreadsheets: `python -m local.samples.make [FOLDER]` (default: beside this file).

The files are kept in the repository so that anybody can open and edit them. Writing them again gives the same
bytes: names and numbers are made up from a fixed seed, and the date of creation is fixed.
"""

import argparse
import datetime
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

CREATED = datetime.datetime(2025, 1, 2, 9, 0, 0)  # noqa: DTZ001 (a workbook's dates have no zone)
SEED = 20250102
EPOCH = datetime.date(1899, 12, 30)

DATE = "yyyy-mm-dd"
DATE_TIME = "m/d/yyyy h:mm:ss"
MONTH = "mmm yyyy"
MONEY = "$#,##0.00"
SIGNED_MONEY = "$#,##0.00;[Red]($#,##0.00)"
PERCENT = "0.0%"
TIME_OF_DAY = "h:mm AM/PM"
DURATION = "[h]:mm:ss"
TEXT = "@"

CUSTOMERS = (
    "Alder & Co",
    "Birch Bakery",
    "Café Zoë",
    "Dahlia GmbH",
    "Elm Street Books",
    "Fjord Kayaks",
    "Größe 9",
)


def make_all(folder: Path) -> list[Path]:
    """Writes every sample into the folder, and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, fill in SAMPLES.items():
        path = folder / f"{name}.xlsx"
        with xlsxwriter.Workbook(path) as book:
            book.set_properties({"created": CREATED, "author": "Sample data"})
            fill(_Book(book), random.Random(SEED))  # noqa: S311 (reproducible, not secret)
        written.append(path)
    return written


class _Book:
    """A workbook being written; number formats are made once each."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self._formats: dict[str, Format] = {}

    def format(self, pattern: str) -> Format:
        if pattern not in self._formats:
            self._formats[pattern] = self.book.add_format({"num_format": pattern})
        return self._formats[pattern]

    def tab(self, title: str, header: Sequence[str]) -> Worksheet:
        sheet = self.book.add_worksheet(title)
        bold = self.book.add_format({"bold": True})
        for column, text in enumerate(header):
            if text:
                sheet.write_string(0, column, text, bold)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(header) - 1, 16)
        return sheet

    def row(self, sheet: Worksheet, row: int, values: Sequence[Any], patterns: Sequence[str]) -> None:
        """Writes values as they are; None is an empty cell, a pattern of "" is General."""
        for column, (value, pattern) in enumerate(zip(values, patterns, strict=True)):
            shape = self.format(pattern) if pattern else None
            if value is None:
                continue
            if isinstance(value, bool):
                sheet.write_boolean(row, column, value, shape)
            elif isinstance(value, (int, float)):
                sheet.write_number(row, column, value, shape)
            elif isinstance(value, (datetime.date, datetime.time)):
                sheet.write_datetime(row, column, value, shape)
            elif isinstance(value, tuple):
                formula, result = value
                sheet.write_formula(row, column, formula, shape, result)
            else:
                sheet.write_string(row, column, value, shape)


def _sales_by_quarter(book: _Book, chance: random.Random) -> None:
    """Orders of a year, one tab a quarter; the total is a formula, the last days' orders are not paid yet."""
    header = ("Order ID", "Order Date", "Customer", "Units", "Unit price", "Total", "Paid?")
    patterns = (TEXT, DATE, "", "", MONEY, MONEY, "")
    number = 0
    for quarter in range(1, 5):
        sheet = book.tab(f"Q{quarter}_Sales", header)
        day = datetime.date(2024, 3 * quarter - 2, 2)
        for row in range(1, 21 + 5 * quarter):
            number += 1
            day += datetime.timedelta(days=chance.randrange(1, 3))
            units = chance.randrange(1, 60)
            price = chance.randrange(250, 25_000) / 100
            total = (f"=D{row + 1}*E{row + 1}", round(units * price, 2))
            paid = row < 18 + 5 * quarter
            order = f"SO-2024-{number:04d}"
            values = (order, day, chance.choice(CUSTOMERS), units, price, total, paid)
            book.row(sheet, row, values, patterns)


def _inventory(book: _Book, chance: random.Random) -> None:
    """A stock list: ids with leading zeros are text, a column is hidden, some articles were never counted."""
    header = (
        "SKU",
        "EAN",
        "Article",
        "In stock",
        "Reorder at",
        "Last counted",
        "Price",
        "Supplier code",
        "Active",
    )
    patterns = (TEXT, "0", "", "#,##0", "", DATE, MONEY, TEXT, "")
    kinds = ("Bolt", "Nut", "Washer", "Hinge", "Bracket", "Dowel")
    sheet = book.tab("Stock", header)
    for row in range(1, 49):
        counted = datetime.date(2024, 11, 1) + datetime.timedelta(days=chance.randrange(60))
        values = (
            f"{row * 137:06d}",
            4_006_381_000_000 + row * 7_919,
            f"{chance.choice(kinds)} M{chance.randrange(2, 12)}",
            chance.randrange(0, 5_000),
            100 if row % 3 else None,
            counted if row % 7 else None,
            chance.randrange(5, 4_000) / 100,
            f"00{chance.randrange(10, 99)}",
            row % 11 != 0,
        )
        book.row(sheet, row, values, patterns)
    sheet.set_column(7, 7, 16, None, {"hidden": True})
    suppliers = book.tab("Suppliers", ("Supplier code", "Supplier"))
    for row, name in enumerate(("Northern Fasteners", "Two Rivers Metal", "Hafen & Söhne"), 1):
        book.row(suppliers, row, (f"00{row}1", name), (TEXT, ""))
    suppliers.hide()
    book.book.define_name("skus", "=Stock!$A$2:$A$49")


def _budget(book: _Book, chance: random.Random) -> None:
    """Plan and actual of a year: formulas with money, percentages and months; one share of nothing."""
    header = ("Category", "Month", "Planned", "Actual", "Difference", "Used", "Approved on", "Comment")
    patterns = ("", MONTH, MONEY, MONEY, SIGNED_MONEY, PERCENT, DATE, "")
    categories = ("Rent", "Travel", "Software", "Training")
    sheet = book.tab("Budget 2024", header)
    planned_sum = actual_sum = 0.0
    for row in range(1, 49):
        month = datetime.date(2024, (row - 1) // 4 + 1, 1)
        planned = 0.0 if row == 16 else float(chance.randrange(8, 60) * 50)
        actual = round(planned * chance.uniform(0.6, 1.3), 2) if planned else 180.0
        planned_sum, actual_sum = planned_sum + planned, actual_sum + actual
        at = row + 1
        used = (f"=D{at}/C{at}", actual / planned if planned else "#DIV/0!")
        approved = month - datetime.timedelta(days=chance.randrange(5, 30)) if row % 5 else None
        comment = "not planned, agreed by phone" if row == 16 else None
        difference = (f"=C{at}-D{at}", round(planned - actual, 2))
        values = (categories[(row - 1) % 4], month, planned, actual, difference, used, approved, comment)
        book.row(sheet, row, values, patterns)
    sums = (
        "Total", None, ("=SUM(C2:C49)", planned_sum), ("=SUM(D2:D49)", round(actual_sum, 2)),
        ("=C50-D50", round(planned_sum - actual_sum, 2)), ("=D50/C50", actual_sum / planned_sum), None, None,
    )  # fmt: skip
    book.row(sheet, 49, sums, patterns)
    book.book.define_name("planned", "='Budget 2024'!$C$2:$C$49")
    _chart(book)


def _chart(book: _Book) -> None:
    """A chart on a tab of its own: it has no cells."""
    chart = book.book.add_chart({"type": "column"})
    for column in (2, 3):
        chart.add_series({"values": ["Budget 2024", 1, column, 48, column]})
    book.book.add_chartsheet("Plan against actual").set_chart(chart)


def _signups(book: _Book, chance: random.Random) -> None:
    """A form's export: time stamps, check boxes beside blanks, times of day, durations, free text."""
    header = (
        "Timestamp", "Name", "Email address", "Arrives at", "Hours volunteered", "Newsletter", "Rating (1-5)",
        "What should we know?",
    )  # fmt: skip
    patterns = (DATE_TIME, "", "", TIME_OF_DAY, DURATION, "", "", "")
    names = ("Ada", "Bo", "Chidi", "Dara", "Emre", "Freya", "Goran", "Hana", "Ines", "Jun")
    remarks = (
        "No nuts, please",
        "I bring a friend 🎉\n(vegetarian)",
        "",
        "Ünïcödé, “quotes” and a , comma",
        "数量は二つです",
        "=not a formula",
        "  spaces around  ",
        "first line\nsecond line\n\nfourth line",
    )
    sheet = book.tab("Form Responses 1", header)
    moment = datetime.datetime(2025, 3, 3, 8, 15, 0)  # noqa: DTZ001
    for row in range(1, 41):
        moment += datetime.timedelta(minutes=chance.randrange(5, 600), seconds=chance.randrange(60))
        name = chance.choice(names)
        minutes = chance.randrange(60, 60 * 90)
        values = (
            moment,
            f"{name} {row:02d}",
            f"{name.lower()}{row:02d}@example.com",
            datetime.time(chance.randrange(8, 20), chance.choice((0, 15, 30, 45))) if row % 6 else None,
            minutes / 1440 if row % 4 else None,
            chance.choice((True, False, None)),
            chance.randrange(1, 6) if row % 5 else None,
            chance.choice(remarks) or None,
        )
        book.row(sheet, row, values, patterns)


def _roster(book: _Book, chance: random.Random) -> None:
    """A rota as people leave it: holes, an empty row, a heading twice, data without one, blanks behind."""
    header = ("Team", "Name", "Shift start", "Shift end", "Phone", "Phone", "", "Notes")
    patterns = ("", "", DATE_TIME, DATE_TIME, TEXT, TEXT, "", "")
    teams = ("North", "South", "Night")
    sheet = book.tab("Roster", header)
    for row in range(1, 25):
        if row == 13:
            continue
        start = datetime.datetime(2025, 6, 1, 6, 0) + datetime.timedelta(hours=8 * row)  # noqa: DTZ001
        values = (
            teams[row % 3] if row % 3 == 1 else None,
            f"Worker {row:02d}",
            start if row % 4 else None,
            start + datetime.timedelta(hours=8) if row % 4 else None,
            f"0{chance.randrange(10**8, 10**9)}" if row % 2 else None,
            f"+44 7700 900{row:03d}" if row % 5 == 0 else None,
            chance.randrange(1, 4) if row in (3, 8, 21) else None,
            "swaps with the row above" if row < 10 and row % 3 == 0 else None,
        )
        book.row(sheet, row, values, patterns)
    for row in range(25, 30):
        for column, pattern in enumerate(patterns):
            sheet.write_blank(row, column, None, book.format(pattern or "General"))


SAMPLES: Mapping[str, Callable[[_Book, random.Random], None]] = {
    "sales_by_quarter": _sales_by_quarter,
    "inventory": _inventory,
    "budget": _budget,
    "signups": _signups,
    "roster": _roster,
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Writes the sample spreadsheets")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write them")
    for path in make_all(parser.parse_args(arguments).folder):
        print(path)


if __name__ == "__main__":
    main()
