"""Decoding a column."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from job.columns.kinds import Kind, arrow_type
from job.columns.values import ERRORS, decode

TEXTS = (
    st.sampled_from(
        [",", '"', ',""', '","', "null", "true", "1", "\\", '\\"', '\\\\"', '",', "[", "#1", "\n", "é", "😀"]
    )
    | st.text()
)
# A column of one type goes another way than a column of several.
PURE = (st.integers(), st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), TEXTS)
BLANK = st.just("")
CELLS = st.one_of(
    *(st.lists(cell | BLANK) for cell in PURE),
    *(st.lists(cell) for cell in PURE),
    st.lists(TEXTS | BLANK | st.sampled_from(sorted(ERRORS))),
    st.lists(st.one_of(*PURE, BLANK, st.sampled_from(sorted(ERRORS)))),
)
KINDS = {
    frozenset[type](): Kind.BLANK,
    frozenset({bool}): Kind.BOOL,
    frozenset({int}): Kind.INT64,
    frozenset({float}): Kind.FLOAT64,
    frozenset({int, float}): Kind.FLOAT64,
    frozenset({str}): Kind.TEXT,
}


def as_sent(cells: list[Any], spaces: bool = False, escaped: bool = False) -> bytes:
    return json.dumps(cells, ensure_ascii=escaped, separators=(", ", ": ") if spaces else (",", ":")).encode()


def expected(cells: list[Any]) -> list[Any]:
    return [None if cell == "" or cell in ERRORS else cell for cell in cells]


@given(CELLS, st.booleans(), st.booleans())
def test_every_cell_is_itself_and_only_blanks_and_errors_are_null(
    cells: list[Any], spaces: bool, escaped: bool
) -> None:
    values = decode(as_sent(cells, spaces, escaped))
    assert values.cells == expected(cells)
    assert [type(cell) for cell in values.cells] == [type(cell) for cell in expected(cells)]
    assert values.errors == [position for position, cell in enumerate(cells) if cell in ERRORS]


@given(CELLS, st.booleans(), st.booleans())
def test_a_column_of_one_type_is_an_array_of_it(cells: list[Any], spaces: bool, escaped: bool) -> None:
    values = decode(as_sent(cells, spaces, escaped))
    held = [cell for cell in expected(cells) if cell is not None]
    types = frozenset(map(type, held))
    too_large = types == {int} and any(abs(cell) >= 2**63 for cell in held)
    kind = Kind.FLOAT64 if too_large else KINDS.get(types, Kind.MIXED)
    assert values.kind is kind
    assert values.has_numbers == bool(types & {int, float})
    if kind in (Kind.BLANK, Kind.MIXED):
        assert values.array is None
    else:
        assert values.array.to_pylist() == [
            float(cell) if kind is Kind.FLOAT64 and cell is not None else cell for cell in expected(cells)
        ]
        assert values.array.type == arrow_type(kind)


@given(st.lists(st.sampled_from([45292, 0.25, 7, "", "#N/A", "text", True])), st.data())
def test_moments_are_the_numbers_that_are_shown_as_text(cells: list[Any], data: st.DataObject) -> None:
    numbers = [position for position, cell in enumerate(cells) if type(cell) in (int, float)]
    moments = data.draw(st.sets(st.sampled_from(numbers)) if numbers else st.just(set()))
    if data.draw(st.booleans()):
        moments = set(numbers)
    shown = [f"day {cell}" if position in moments else cell for position, cell in enumerate(cells)]
    values = decode(as_sent(cells))
    values.find_moments(as_sent(shown))
    assert values.moments == sorted(moments)
    filled = [position for position, cell in enumerate(expected(cells)) if cell is not None]
    assert values.only_moments == (bool(moments) and filled == sorted(moments))
    if values.only_moments:
        assert values.shown.to_pylist() == [
            display if position in moments else None for position, display in enumerate(shown)
        ]


@given(CELLS, st.data())
def test_where_the_errors_are_known_no_other_text_is_taken_for_one(cells: list[object], data: st.DataObject) -> None:
    saying = [position for position, cell in enumerate(cells) if cell in ERRORS]
    known = data.draw(st.sets(st.sampled_from(saying))) if saying else set()
    # Of cells that are no longer there nothing is told.
    values = decode(as_sent(cells), [*sorted(known), len(cells)])
    assert values.errors == sorted(known)
    assert values.cells == [None if cell == "" or position in known else cell for position, cell in enumerate(cells)]


def test_text_that_only_begins_like_an_error_is_text() -> None:
    assert decode(b'["#N/A","#1","#N/A yet"]').cells == [None, "#1", "#N/A yet"]


def test_numbers_that_a_date_format_shows_are_found() -> None:
    values = decode(b'[45292,"",7,"#N/A"]')
    values.find_moments(b'["1/1/2024","",7,"#N/A"]')
    assert (values.moments, values.only_moments) == ([0], False)


def test_a_column_of_dates_with_holes_and_errors_holds_only_dates() -> None:
    values = decode(b'[45292,"","#N/A",45293]')
    values.find_moments(b'["1/1/2024","","#N/A","1/2/2024"]')
    assert values.only_moments


def test_numbers_that_change_between_two_reads_are_no_dates() -> None:
    values = decode(b"[0.25,0.5]")
    values.find_moments(b"[0.75,0.125]")
    assert (values.moments, values.cells) == ([], [0.25, 0.5])
