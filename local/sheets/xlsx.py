"""Reads an .xlsx file into a `Spreadsheet`, as Google's import would."""

import datetime
import io
import logging
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from openpyxl.formula.translate import Translator

from local.sheets.a1 import Cells, column_letters, column_number, parse_cells, split_tab
from local.sheets.package import (
    NameEntry,
    Package,
    TabEntry,
    is_true,
    local_name,
    open_package,
    part_relations,
    relation_id,
    rich_text,
    unescape,
)
from local.sheets.spreadsheet import CellError, Column, NamedRange, Spreadsheet, Tab, Value

log = logging.getLogger("local.sheets")

# Days from 1899-12-30, where Sheets counts from, to 1904-01-01, where old Macintosh workbooks do.
DAYS_TO_1904 = 1462
SHEETS_EPOCH = datetime.datetime(1899, 12, 30)  # noqa: DTZ001 (cells have no zone)
# What Sheets calls an error that it does not know, such as Excel's #SPILL!
UNKNOWN_ERROR = "#ERROR!"
KNOWN_ERRORS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", UNKNOWN_ERROR}
ADDRESSES_SHOWN = 5


def read_spreadsheet(content: bytes, name: str) -> Spreadsheet:
    """The workbook in these bytes; `name` is for messages.

    Raises an exception of zipfile, ElementTree, KeyError or ValueError where the bytes are no whole workbook.
    A formula whose value the file does not hold is served as an empty cell, which is logged.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        package = open_package(archive)
        readers = [_TabReader(package, entry, index) for index, entry in enumerate(package.tabs)]
        tabs = [reader.read() for reader in readers]
        missing = [address for reader in readers for address in reader.without_value]
    if missing:
        shown = ", ".join(missing[:ADDRESSES_SHOWN]) + (", …" if len(missing) > ADDRESSES_SHOWN else "")
        log.warning(
            "%s: %d formulas without a saved value are served as empty cells (%s): open the file in a "
            "spreadsheet program and save it",
            name,
            len(missing),
            shown,
        )
    return Spreadsheet(tabs, _named_ranges(package.names, tabs), package.patterns)


def _named_ranges(names: Sequence[NameEntry], tabs: Sequence[Tab]) -> list[NamedRange]:
    """Names for one rectangle of cells; names of formulas or of several areas are none."""
    by_title = {tab.title.casefold(): tab for tab in tabs}
    found: list[NamedRange] = []
    for entry in names:
        title, cells_text = split_tab(entry.refers_to)
        tab = by_title.get((title or "").casefold())
        cells = parse_cells(cells_text or "")
        if tab is not None and cells is not None:
            found.append(NamedRange(entry.name, tab, cells))
    return found


@dataclass
class _TabReader:
    """Reads one tab's XML row by row."""

    package: Package
    entry: TabEntry
    index: int
    columns: list[Column] = field(default_factory=list)
    shared_formulas: dict[str, tuple[str, str]] = field(default_factory=dict)
    without_value: list[str] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)

    def read(self) -> Tab:
        if not self.entry.grid:
            return Tab(self.entry.title, self._gid, self.index, self.entry.hidden, grid=False)
        rest = self._read_rows()
        frozen_rows, frozen_columns = _frozen(rest)
        return Tab(
            self.entry.title,
            self._gid,
            self.index,
            self.entry.hidden,
            columns=self.columns,
            hyperlinks=self._hyperlinks(rest),
            merges=_merges(rest),
            hidden_rows=frozenset(self.hidden_rows),
            hidden_columns=_hidden_columns(rest),
            frozen_rows=frozen_rows,
            frozen_columns=frozen_columns,
        )

    @property
    def _gid(self) -> int:
        return self.entry.sheet_id - 1

    def _read_rows(self) -> ElementTree.Element:
        """Reads the cells, and returns the rest of the tab's XML."""
        row_index = -1
        with self.package.archive.open(self.entry.part) as stream:
            events = ElementTree.iterparse(stream, events=("start", "end"))  # noqa: S314 (the user's own files)
            _, root = next(events)
            prefix = root.tag.rpartition("}")[0] + "}" if "}" in root.tag else ""
            row_tag, data_tag, cell_tag = (prefix + name for name in ("row", "sheetData", "c"))
            data = root
            for event, element in events:
                if event == "start":
                    data = element if element.tag == data_tag else data
                elif element.tag == row_tag:
                    row_index = int(element.get("r", row_index + 2)) - 1
                    if is_true(element.get("hidden", "0")):
                        self.hidden_rows.add(row_index)
                    self._read_row(row_index, element.iter(cell_tag), prefix)
                    data.clear()
        return root

    def _read_row(self, row: int, cells: Iterable[ElementTree.Element], prefix: str) -> None:
        column = -1
        for cell in cells:
            reference = cell.get("r")
            column = column + 1 if reference is None else _column_of(reference)
            value = self._value(cell, row, column, prefix)
            style = int(cell.get("s", "0"))
            styles = self.package.pattern_of_style
            pattern = styles[style] if style < len(styles) else 0
            if self.package.date1904 and isinstance(value, (int, float)) and not isinstance(value, bool):
                # Times of day and durations do not depend on the epoch.
                value += DAYS_TO_1904 if self.package.patterns[pattern].sections[0].has_day else 0
            if value is not None or pattern:
                self._put(row, self._column(column), value, pattern)

    def _column(self, number: int) -> Column:
        while len(self.columns) <= number:
            self.columns.append(Column())
        return self.columns[number]

    def _put(self, row: int, column: Column, value: Value, pattern: int) -> None:
        missing = row + 1 - len(column.values)
        column.values.extend([None] * missing)
        column.patterns.extend([0] * missing)
        column.values[row] = value
        column.patterns[row] = pattern

    def _value(self, cell: ElementTree.Element, row: int, column: int, prefix: str) -> Value:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            text = cell.find(prefix + "is")
            return None if text is None else rich_text(text)
        formula = cell.find(prefix + "f")
        saved = cell.find(prefix + "v")
        if formula is not None:
            self._remember_formula(formula, row, column)
            # openpyxl writes an empty <v> where it has no value; only a text's value can be empty.
            if saved is None or (not saved.text and kind != "str"):
                self.without_value.append(f"{self.entry.title}!{_address(row, column)}")
        if saved is None:
            return None
        return self._typed(kind, saved.text or "", formula is not None)

    def _typed(self, kind: str, text: str, is_formula: bool) -> Value:
        if kind == "s":
            return self.package.shared_strings[int(text)] or None
        if kind == "str":
            # A formula's empty text is a value; an empty text that somebody typed is an empty cell.
            return unescape(text) if text or is_formula else None
        if kind == "b":
            return is_true(text)
        if kind == "e":
            return CellError(text if text in KNOWN_ERRORS else UNKNOWN_ERROR)
        if kind == "d":
            moment = datetime.datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=None)
            return (moment - SHEETS_EPOCH) / datetime.timedelta(days=1)
        return _number(text) if text else None

    def _remember_formula(self, element: ElementTree.Element, row: int, column: int) -> None:
        """A shared formula is written once and moves with its cells."""
        text = element.text or ""
        group = element.get("si")
        if element.get("t") == "shared" and group is not None:
            if text:
                self.shared_formulas[group] = (text, _address(row, column))
            elif group in self.shared_formulas:
                first, origin = self.shared_formulas[group]
                moved = Translator("=" + first, origin).translate_formula(_address(row, column))
                text = moved.removeprefix("=")
        if text:
            self._column(column).formulas[row] = "=" + text.replace("_xlfn.", "")

    def _hyperlinks(self, root: ElementTree.Element) -> Mapping[tuple[int, int], str]:
        targets = part_relations(self.package.archive, self.entry.part)
        found: dict[tuple[int, int], str] = {}
        for element in root.iter():
            if local_name(element) == "hyperlink":
                cells = parse_cells(element.get("ref", ""))
                target = targets.get(relation_id(element))
                if cells is not None and target:
                    found[cells.first_row, cells.first_column] = target
        return found


def _number(text: str) -> int | float:
    """Whole numbers are ints, as JSON shows them, up to where a double still counts by ones."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _column_of(reference: str) -> int:
    return column_number(reference.rstrip("0123456789"))


def _address(row: int, column: int) -> str:
    return f"{column_letters(column)}{row + 1}"


def _merges(root: ElementTree.Element) -> list[Cells]:
    references = [e.get("ref", "") for e in root.iter() if local_name(e) == "mergeCell"]
    return [cells for reference in references if (cells := parse_cells(reference)) is not None]


def _hidden_columns(root: ElementTree.Element) -> frozenset[int]:
    hidden: set[int] = set()
    for element in root.iter():
        if local_name(element) == "col" and is_true(element.get("hidden", "0")):
            hidden.update(range(int(element.get("min", "1")) - 1, int(element.get("max", "1"))))
    return frozenset(hidden)


def _frozen(root: ElementTree.Element) -> tuple[int, int]:
    for element in root.iter():
        if local_name(element) == "pane" and element.get("state") in ("frozen", "frozenSplit"):
            return int(float(element.get("ySplit", "0"))), int(float(element.get("xSplit", "0")))
    return 0, 0
