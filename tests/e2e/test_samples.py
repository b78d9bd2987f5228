"""The samples go through the whole system, and each table equals its sheet, cell by cell."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from local.clients import LocalClients
from local.system import System
from tests.e2e.conftest import Team

SAMPLES = sorted((Path(__file__).resolve().parents[2] / "local" / "samples").glob("*.xlsx"))
# Sheets' and Excel's day 0.
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001


def visible_tabs(sample: Path) -> list[str]:
    workbook = openpyxl.load_workbook(sample, read_only=True)
    return [sheet.title for sheet in workbook.worksheets if sheet.sheet_state == "visible"]


def read_columns(sample: Path, tab: str) -> list[list[Any]]:
    """The tab's columns, header cell first, by openpyxl: blank rows and wholly blank columns left out."""
    sheet = openpyxl.load_workbook(sample, data_only=True)[tab]
    header, *rows = [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    rows = [row for row in rows if any(value is not None for value in row)]
    columns = [list(column) for column in zip(header, *rows, strict=True)]
    return [column for column in columns if any(value is not None for value in column)]


def shown_columns(clients: LocalClients, spreadsheet: str, tab: str) -> list[list[str]]:
    """What the tab displays, rectangular and otherwise as the API tells it."""
    request = clients.sheets.values().get(spreadsheetId=spreadsheet, range=f"'{tab}'")
    rows = [row for row in request.execute()["values"] if any(row)]
    width = max(len(row) for row in rows)
    columns = list(zip(*([*row, *[""] * (width - len(row))] for row in rows), strict=True))
    return [list(column) for column in columns if any(column)]


def _cell(value: Any) -> Any:
    """A blank and an error are both no value."""
    if isinstance(value, str) and (not value.strip() or value.startswith("#")):
        return None
    return value


def same(loaded: Any, cell: Any, shown: str) -> bool:
    """Whether a table's value is the cell's: by value where the column has a type, by what it shows where not."""
    if cell is None or loaded is None:
        return cell is None and loaded is None
    if isinstance(loaded, str):
        return loaded == (cell if isinstance(cell, str) else shown)
    if isinstance(loaded, bool) or isinstance(cell, bool):
        return loaded is cell
    if isinstance(loaded, datetime):
        return bool(abs(loaded.replace(tzinfo=None) - cell) < timedelta(milliseconds=1))
    if isinstance(loaded, date):
        return bool(datetime.combine(loaded, time()) == cell)
    if isinstance(loaded, time):
        return bool(loaded == cell)
    return bool(loaded == pytest.approx(_number(cell)))


def _number(cell: Any) -> float:
    """Durations are days, as a sheet counts them."""
    if isinstance(cell, timedelta):
        return cell / timedelta(days=1)
    if isinstance(cell, datetime):
        return (cell - EPOCH) / timedelta(days=1)
    return float(cell)


def differences(table: Sequence[dict[str, Any]], cells: list[list[Any]], shown: list[list[str]]) -> list[str]:
    loaded = [[row[name] for row in table] for name in table[0]]
    assert len(loaded) == len(cells)
    return [
        f"{name}, row {number}: {value!r} for {cell!r}"
        for name, values, column, texts in zip(table[0], loaded, cells, shown, strict=True)
        for number, (value, cell, text) in enumerate(zip(values, column[1:], texts[1:], strict=True), 1)
        if not same(value, cell, text)
    ]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_every_tab_of_a_sample_lands_in_its_table(
    team: Team, system: System, clients: LocalClients, sample: Path
) -> None:
    tables = {team.unique(sample.stem): tab for tab in visible_tabs(sample)}
    configs = [team.add_config(name, sample.stem, tab) for name, tab in tables.items()]
    team.dispatch(config_names=list(tables))
    runs = team.wait_for_runs(*configs)
    assert [(run.state, run.attempt, run.error) for run in runs] == [("succeeded", 1, None)] * len(configs)
    for run in runs:
        assert team.last_run(run.config_id) == run.slot
    for name, tab in tables.items():
        table = team.table(name)
        cells, shown = read_columns(sample, tab), shown_columns(clients, sample.stem, tab)
        assert len(table) == len(cells[0]) - 1
        assert differences(table, cells, shown) == []
