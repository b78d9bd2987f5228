"""Any tab whatever becomes the table that the slow reference says, however it is cut into blocks."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from job.columns.moments import Format
from job.errors import EmptySheet
from tests.unit.job import reference
from tests.unit.job.grid import Cell, Moment, Rows, Said
from tests.unit.job.reading import loaded, read, types


def moment(serial: float, shows: Format) -> Moment:
    """Shown as some format of its kind would; a real sheet shows different formats in different lengths."""
    lengths = {Format.DATE: 10, Format.TIME: 8, Format.DATETIME: 19, Format.ELAPSED: 12}
    return Moment(serial, f"{serial:.3f}"[:6].ljust(lengths[shows], "~"), shows)


MOMENTS = st.builds(
    moment,
    st.integers(-40, 80_000) | st.sampled_from([0, 0.5, 0.75, 1.25, 45292, 45292.5, 1500.25, -0.25, 3e6]),
    st.sampled_from(list(Format)),
)
BLANKS = st.sampled_from([None, ""])
ERRORS = st.sampled_from(["#N/A", "#DIV/0!", Said("#N/A")])
COLUMN_CELLS = st.sampled_from(
    [
        BLANKS,
        BLANKS | ERRORS,
        BLANKS | st.integers(-(2**53), 2**53),
        BLANKS | ERRORS | st.integers(-9, 9) | st.floats(-1e9, 1e9),
        BLANKS | st.booleans(),
        BLANKS | MOMENTS,
        BLANKS | MOMENTS.filter(lambda each: each.shows in (Format.DATE, Format.DATETIME)),
        BLANKS | MOMENTS.filter(lambda each: each.shows in (Format.TIME, Format.ELAPSED)),
        BLANKS | st.text(max_size=5),
        BLANKS | ERRORS | MOMENTS | st.integers(-9, 9) | st.booleans() | st.text(max_size=3),
    ]
)


@st.composite
def grids(draw: st.DrawFn) -> Rows:
    """A header and up to twelve rows, of columns that mostly hold one kind of thing; ragged like real ones."""
    columns = draw(st.lists(COLUMN_CELLS, min_size=1, max_size=4))
    header = [draw(st.sampled_from(["Name", "name", "", "Total €", "数量", None])) for _ in columns]
    count = draw(st.integers(0, 12))
    rows: list[list[Cell]] = [[draw(cells) for cells in columns] for _ in range(count)]
    return [header, *(row[: draw(st.integers(0, len(row)))] if draw(st.booleans()) else row for row in rows)]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grids(), st.integers(1, 13))
def test_the_loaded_table_is_the_reference_table(rows: Rows, block_rows: int) -> None:
    expected = reference.kept_rows(rows)
    try:
        reading = read(rows, block_rows=block_rows)
    except EmptySheet:
        assert expected == []
        return
    columns = [
        list(cells)
        for header, cells in zip([*rows[0]], zip(*expected, strict=True), strict=False)
        if not reference.is_blank(header) or not all(map(reference.is_blank, cells))
    ]
    assert list(types(reading).values()) == [reference.column_type(cells) for cells in columns]
    assert reading.table.rows == len(expected)
    assert [list(row.values()) for row in loaded(reading)] == [
        list(row) for row in zip(*(reference.column_values(cells) for cells in columns), strict=True)
    ]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grids(), st.integers(1, 13))
def test_how_a_tab_is_cut_into_blocks_changes_nothing(rows: Rows, block_rows: int) -> None:
    try:
        whole = read(rows, block_rows=100)
    except EmptySheet:
        return
    cut = read(rows, block_rows=block_rows)
    assert (cut.table.columns, loaded(cut), cut.warnings) == (whole.table.columns, loaded(whole), whole.warnings)
