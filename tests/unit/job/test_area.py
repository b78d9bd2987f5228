"""A part of a tab, read as if it were all of one; whatever lies around it, every address is the sheet's own."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from job.columns.cells import Area, column_letters
from job.errors import EmptySheet, HeaderRefused, SchemaViolated
from job.reading.read import Reading
from shared.config import Column
from tests.unit.job.grid import Cell, Rows
from tests.unit.job.reading import loaded, read, read_as_text, types
from tests.unit.job.test_any_grid import COLUMN_CELLS, grids

# In messages, and in the links of messages.
ADDRESS = re.compile(r"(?<=Sheet1!|&range=)([A-Z]+)([0-9]+)")


@st.composite
def framed(draw: st.DrawFn, rows: Rows) -> tuple[Rows, Area]:
    """The grid with other cells on every side of it, and where it lies."""
    width = max(map(len, rows))
    above, left, below, right = (draw(st.integers(0, 3)) for _ in range(4))
    outside = draw(COLUMN_CELLS)

    def other(count: int) -> list[Cell]:
        return [draw(outside) for _ in range(count)]

    inside = [[*other(left), *row, *[None] * (width - len(row)), *other(right)] for row in rows]
    around = [other(left + width + right) for _ in range(above + below)]
    area = Area(above + 1, above + len(rows), left, left + width - 1)
    return [*around[:above], *inside, *around[above:]], area


def moved(text: str, area: Area) -> str:
    """The text with its addresses as they are in the frame."""

    def move(match: re.Match[str]) -> str:
        column = sum((ord(each) - 64) * 26**power for power, each in enumerate(reversed(match[1]))) - 1
        return f"{column_letters(column + area.first_column)}{int(match[2]) + area.first_row - 1}"

    return ADDRESS.sub(move, text)


def without_letters(reading: Reading) -> list[tuple[str, str]]:
    """Headers and types: the names of columns without a header follow their place in the sheet."""
    return [(column.description, column.type) for column in reading.table.columns]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.integers(1, 13))
def test_an_area_is_read_as_a_tab_of_its_own(data: st.DataObject, block_rows: int) -> None:
    """In the wild: only part of a tab is wanted; the header is not in row 1."""
    rows = data.draw(grids())
    frame, area = data.draw(framed(rows))
    try:
        alone = read(rows, block_rows=100)
    except EmptySheet:
        with pytest.raises(EmptySheet):
            read(frame, area=area, block_rows=block_rows)
        return
    part = read(frame, area=area, block_rows=block_rows)
    assert without_letters(part) == without_letters(alone)
    assert [list(row.values()) for row in loaded(part)] == [list(row.values()) for row in loaded(alone)]
    assert part.warnings == tuple(moved(warning, area) for warning in alone.warnings)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.integers(1, 13))
def test_an_area_is_shown_as_a_tab_of_its_own(data: st.DataObject, block_rows: int) -> None:
    rows = data.draw(grids())
    frame, area = data.draw(framed(rows))
    try:
        alone = read_as_text(rows, block_rows=100)
    except (EmptySheet, HeaderRefused) as error:
        with pytest.raises(type(error), match=re.escape(moved(error.what, area))):
            read_as_text(frame, area=area, block_rows=block_rows)
        return
    part = read_as_text(frame, area=area, block_rows=block_rows)
    assert without_letters(part) == without_letters(alone)
    assert [list(row.values()) for row in loaded(part)] == [list(row.values()) for row in loaded(alone)]


JUNK = "left"
SHEET = [
    ["a title over it all"],
    [JUNK, 2024, None, "b", None, "right"],
    [JUNK, 1, "x", 2, None, "right"],
    [JUNK, None, None, None, None, "right"],
    [JUNK, "#N/A", "y", 3, None, "right"],
    [JUNK, "below", "below", "below", None, "right"],
]
PART = Area(2, 5, 1, 4)


def test_columns_without_a_header_have_the_sheets_letters() -> None:
    reading = read(SHEET, area=PART)
    assert list(types(reading)) == ["_2024", "column_c", "b"]
    assert reading.warnings[1] == "1 blank row between others left out"
    assert "Sheet1!B5" in reading.warnings[0]
    assert list(types(read_as_text(SHEET, area=PART))) == ["_2024", "column_c", "b"]


def test_violations_have_the_sheets_addresses() -> None:
    with pytest.raises(SchemaViolated, match=r"Sheet1!D3.*Sheet1!D5"):
        read(SHEET, Column("b", "BOOL"), area=PART)
    with pytest.raises(SchemaViolated, match="both mean the tab's column D"):
        read(SHEET, Column("b", "INT64"), Column("B", "INT64"), area=PART)
