"""Any cells under any custom schema become what the slow reference says, or are the violations that it names."""

import base64
import re
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from job.columns.moments import Format
from job.errors import EmptySheet, SchemaViolated
from job.reading.read import Reading
from shared.column import Column
from shared.errors import SyncError
from tests.unit.job import reference
from tests.unit.job.grid import Cell, Rows
from tests.unit.job.reading import loaded, read
from tests.unit.job.schema_reference import POINTS, ZONES, Sheet, comparable
from tests.unit.job.test_any_grid import BLANKS, ERRORS, MOMENTS, moment

# Without digits, so that no text is by chance a number or a time.
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Nd", "Zs"]), max_size=6)
NUMBERS = st.one_of(
    st.integers(-(2**64), 2**64),
    st.integers(-999, 999),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-100, 100).map(lambda number: round(number, 3)),
)
NUMBER_TEXTS = st.one_of(
    st.sampled_from(
        ["9223372036854775807", "9223372036854775808", "-9223372036854775808", " 7 ", "+0", "1e3", "-1E-3"]
    ),
    st.sampled_from(
        ["1,234.5", "1.234,5", "1,5", "1.5", "1,23", ".5", ",5", "5.", "1,,000", ",000", "e5", "1e", "--1"]
    ),
    st.sampled_from(["9" * 29, "9" * 30, "9" * 38, f"{'9' * 29}.{'9' * 9}", f"{'9' * 29}.{'9' * 10}", "1e400", "0e99"]),
    st.decimals(-(10**6), 10**6, places=3).map(str),
    st.integers(-(10**9), 10**9).map("{:,}".format),
)
MOMENT_TEXTS = st.one_of(
    st.dates().map(str),
    st.times().map(lambda each: each.replace(microsecond=0).isoformat()),
    st.datetimes().map(lambda each: each.replace(microsecond=0).isoformat(" ")),
    st.datetimes().map(lambda each: each.replace(microsecond=0).isoformat(" ") + "+02:00"),
    st.sampled_from(["2024-02-30", "1/2/2024", "24:00:00", "0000-01-01", "2023-02-29", "2024-01-01 25:00:00"]),
)
BYTES_TEXTS = st.binary(max_size=6).map(lambda each: base64.b64encode(each).decode()) | st.sampled_from(
    ["aGk", "a===", "="]
)
JSON_TEXTS = st.sampled_from(['{"a": [1, 2.5, null]}', "[\n1,\n2]", '"x"', "nul", "{", "1 2", "NaN", "01"])
ANYTHING = NUMBERS | NUMBER_TEXTS | MOMENTS | MOMENT_TEXTS | BYTES_TEXTS | JSON_TEXTS | st.booleans() | WORDS
FORMATS = st.sampled_from(list(Format))
DAYS = st.builds(moment, st.integers(-40, 80_000), FORMATS)
CLOCKS = st.builds(moment, st.sampled_from([0, 0.25, 0.5, 0.75, 0.999]), FORMATS)
ISO_MOMENTS = st.datetimes().map(lambda each: each.replace(microsecond=0).isoformat(" "))
FITTING: dict[str, st.SearchStrategy[Cell]] = {
    "STRING": WORDS | NUMBERS | MOMENTS | st.booleans(),
    "BYTES": st.binary(max_size=6).map(lambda each: base64.b64encode(each).decode()),
    "INT64": st.integers(-(2**63), 2**63 - 1) | st.integers(-99, 99).map(float) | st.integers(-99, 99).map(str),
    "FLOAT64": NUMBERS,
    "BOOL": st.booleans() | st.sampled_from(["true", " FALSE", "False"]),
    "DATE": st.dates().map(str) | DAYS,
    "TIME": st.times().map(lambda each: each.replace(microsecond=0).isoformat()) | CLOCKS,
    "DATETIME": ISO_MOMENTS | DAYS | CLOCKS,
    "TIMESTAMP": ISO_MOMENTS | ISO_MOMENTS.map("{}+02:00".format) | DAYS | CLOCKS,
    "JSON": st.sampled_from(['{"a": [1, 2.5, null]}', "[\n1,\n2]", '"x"']) | NUMBERS | st.booleans(),
    "GEOGRAPHY": st.just("POINT(1 2)"),
}


def decimals(draw: st.DrawFn, precision: int | None = None, scale: int = 9) -> st.SearchStrategy[Cell]:
    """Numbers that fit, many of them half-way between two that the scale has; seldom those that round up too far."""
    before = precision - scale if precision is not None else 9
    most = 10 ** max(before, 0)
    whole = st.integers(1 - most, most - 1)
    small = st.integers(-min(most - 1, 99), min(most - 1, 99))
    halves = st.integers(1, 8).map(lambda digit: f"{digit * 10 + 5:0{scale + 1}d}"[-scale - 1 :])
    texts = st.tuples(whole, halves).map(lambda each: f"{each[0]}.{each[1]}")
    halfway = texts | st.tuples(small, halves).map(lambda each: float(f"{each[0]}.{each[1]}"))
    largest = st.just(f"{'9' * before}.{'9' * (scale + 1)}")
    return (whole | halfway | largest) if draw(st.integers(0, 4)) == 0 else (whole | halfway)


@st.composite
def parameters(draw: st.DrawFn, type_: str) -> dict[str, int]:
    if type_ in ("STRING", "BYTES") and draw(st.booleans()):
        return {"max_length": draw(st.integers(1, 12))}
    if type_ in ("NUMERIC", "BIGNUMERIC") and draw(st.booleans()):
        before, behind = (29, 9) if type_ == "NUMERIC" else (38, 38)
        scale = draw(st.integers(0, behind))
        return {"precision": draw(st.integers(max(1, scale), scale + before)), "scale": scale}
    return {}


@st.composite
def sheets(draw: st.DrawFn) -> tuple[Rows, dict[int, Column], list[Column]]:
    """Rows, what is asked of which of their columns, and that in the schema's own order."""
    width = draw(st.integers(1, 4))
    asked: dict[int, Column] = {}
    cells: list[st.SearchStrategy[Any]] = []
    for index in range(width):
        if index and draw(st.booleans()):
            cells.append(BLANKS | ERRORS | MOMENTS | st.integers(-9, 9) | st.booleans() | WORDS)
            continue
        type_ = draw(st.sampled_from([*sorted(FITTING), "NUMERIC", "BIGNUMERIC"]))
        named = draw(st.sampled_from([f"Col {index}", f"col_{index}", f"COL_{index}"]))
        mode = draw(st.sampled_from(["NULLABLE", "NULLABLE", "REQUIRED"]))
        limits = draw(parameters(type_))
        asked[index] = Column(named, type_, mode, **limits)
        fitting = decimals(draw, **limits) if type_ in ("NUMERIC", "BIGNUMERIC") else FITTING[type_]
        blanks = BLANKS if mode == "NULLABLE" else fitting
        pools = [fitting, blanks | fitting, blanks | fitting, BLANKS | ERRORS | fitting | ANYTHING]
        cells.append(draw(st.sampled_from(pools)))
    count = draw(st.integers(0, 10))
    rows: list[list[Cell]] = [[draw(each) for each in cells] for _ in range(count)]
    ragged = [row[: draw(st.integers(0, width))] if draw(st.integers(0, 9)) == 0 else row for row in rows]
    order = draw(st.permutations(sorted(asked)))
    return [[f"Col {index}" for index in range(width)], *ragged], asked, [asked[index] for index in order]


def told(error: SchemaViolated) -> tuple[int, list[tuple[int, int]]]:
    """How many violations the message counts, and the cells that it names."""
    text = str(error)
    count = re.search(r": ([0-9]+) cells? (?:is|are) not as custom_schema asks", text)
    cells = re.findall(r"Sheet1!([A-D])([0-9]+)(?: [(]https:[^)]*[)])?: ", text)
    assert count is not None
    return int(count[1]), [(int(row), "ABCD".index(letter)) for letter, row in cells]


def outcome(rows: Rows, schema: list[Column], **grid: Any) -> tuple[Reading | None, SyncError | None]:
    try:
        return read(rows, *schema, **grid), None
    except (SchemaViolated, EmptySheet) as error:
        return None, error


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(sheets(), st.integers(1, 11), st.sampled_from(sorted(POINTS)), st.sampled_from(sorted(ZONES)))
def test_a_sheet_becomes_the_reference_table_or_names_the_reference_violations(
    sheet: tuple[Rows, dict[int, Column], list[Column]], block_rows: int, locale: str, zone: str
) -> None:
    rows, asked, schema = sheet
    expected = Sheet(rows, locale, zone)
    violations = expected.violations(asked)
    reading, error = outcome(rows, schema, block_rows=block_rows, locale=locale, time_zone=zone)
    if isinstance(error, SchemaViolated):
        event("violated")
        assert told(error) == (len(violations), violations[:20])
        return
    if reading is None:
        assert expected.kept == []
        return
    event("loaded")
    assert violations == []
    found = loaded(reading)
    for index, column in enumerate(reading.table.columns):
        cells = [row[column.name] for row in found]
        if index in asked:
            wanted = asked[index]
            assert (column.type, column.mode) == (wanted.type, wanted.mode)
            assert (column.precision, column.scale, column.max_length) == (
                wanted.precision,
                wanted.scale,
                wanted.max_length,
            )
            assert comparable(cells, wanted) == expected.values(index, wanted)
        else:
            assert cells == reference.column_values([row[index] for _, row in expected.kept])
