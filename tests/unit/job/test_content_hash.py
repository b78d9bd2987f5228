"""The content hash: of what a table holds, not of how it was read, cut or written."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from job.columns.content_hash import ColumnHash, content_hash
from job.errors import EmptySheet
from job.reading.read import Reading
from tests.unit.job.grid import Rows
from tests.unit.job.reading import loaded, read, types
from tests.unit.job.test_any_grid import COLUMN_CELLS, grids

ROWS = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Each with two values of it.
OF_EVERY_TYPE = [
    (pa.bool_(), True, False),
    (pa.int64(), 0, 2**62),
    (pa.float64(), 0.5, -1e300),
    (pa.date32(), 0, 19_000),
    (pa.time64("us"), 0, 1),
    (pa.timestamp("us"), 0, 1),
    (pa.timestamp("us", tz="UTC"), 0, 1),
    (pa.decimal128(38, 9), Decimal("0.000000001"), Decimal(10) ** 28),
    (pa.decimal256(76, 38), Decimal("0.5"), Decimal(-7)),
    (pa.string(), "", "ab"),
    (pa.binary(), b"", b"\0"),
]


def hashed(*arrays: pa.Array, name: str = "it", type: str = "T", mode: str = "NULLABLE") -> str:
    values = ColumnHash()
    for array in arrays:
        values.add(array)
    return content_hash([(name, type, mode, values)])


def texts(*cells: str | None) -> pa.Array:
    return pa.array(cells, pa.string())


def read_or_skip(rows: Rows, block_rows: int) -> Reading:
    try:
        return read(rows, block_rows=block_rows)
    except EmptySheet:
        assume(False)
        raise


def content(reading: Reading) -> str:
    """All that is loaded, as text that tells 0 from 0.0 and False."""
    return repr((list(types(reading).items()), loaded(reading)))


@ROWS
@given(grids(), st.integers(1, 13), st.integers(1, 13))
def test_equal_content_in_different_blocks_has_one_hash(rows: Rows, one: int, other: int) -> None:
    assert read_or_skip(rows, one).table.content_hash == read_or_skip(rows, other).table.content_hash


@ROWS
@given(grids(), st.integers(1, 13), st.data())
def test_another_cell_is_another_hash_exactly_if_something_else_is_loaded(
    rows: Rows, block_rows: int, data: st.DataObject
) -> None:
    changed = [list(row) for row in rows]
    row = data.draw(st.integers(0, len(rows) - 1))
    assume(changed[row])
    column = data.draw(st.integers(0, len(changed[row]) - 1))
    changed[row][column] = data.draw(st.one_of(st.text(max_size=2), st.none()) if row == 0 else data.draw(COLUMN_CELLS))
    before, after = read_or_skip(rows, block_rows), read_or_skip(changed, block_rows)
    same = content(before) == content(after)
    assert (before.table.content_hash == after.table.content_hash) == same


@pytest.mark.parametrize(("kind", "one", "other"), OF_EVERY_TYPE)
def test_a_value_and_its_place_count_and_how_arrays_are_cut_does_not(kind: pa.DataType, one: Any, other: Any) -> None:
    cells = [one, None, other, other, None, one]
    whole = pa.array(cells, kind)
    assert hashed(whole) == hashed(whole.slice(0, 1), whole.slice(1, 0), whole.slice(1, 3), whole.slice(4))
    assert hashed(whole) == hashed(pa.concat_arrays([whole, whole]).slice(6))
    for place in range(len(cells)):
        for cell in (one, other, None):
            if cell != cells[place]:
                assert hashed(whole) != hashed(pa.array([*cells[:place], cell, *cells[place + 1 :]], kind))


def test_what_lies_in_memory_under_a_null_does_not_count() -> None:
    covered = pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x05"), pa.array([1, 99, 3]).buffers()[1]])
    assert covered.to_pylist() == [1, None, 3]
    assert hashed(covered) == hashed(pa.array([1, None, 3]))
    text = pa.array(["a", "hidden", "c"])
    covered = pa.Array.from_buffers(pa.string(), 3, [pa.py_buffer(b"\x05"), *text.buffers()[1:]])
    assert hashed(covered) == hashed(texts("a", None, "c"))


@pytest.mark.parametrize(
    "other",
    [
        texts("ab", "c", "", None),
        texts("a", "bc", None, ""),
        texts("a", "bc", "", ""),
        texts("a", "bc", ""),
        texts("a", "bc", "", None, None),
        texts("bc", "a", "", None),
    ],
    ids=["boundary", "swapped", "'' for NULL", "a row less", "a row more", "order"],
)
def test_what_looks_alike_end_to_end_has_another_hash(other: pa.Array) -> None:
    assert hashed(texts("a", "bc", "", None)) != hashed(other)


@given(st.lists(st.none() | st.text(max_size=2), max_size=5), st.lists(st.none() | st.text(max_size=2), max_size=5))
def test_texts_have_one_hash_exactly_if_they_are_the_same(
    one: Sequence[str | None], other: Sequence[str | None]
) -> None:
    assert (hashed(texts(*one)) == hashed(texts(*other))) == (one == other)


def test_name_type_and_mode_count() -> None:
    numbers = pa.array([1, 2])
    hashes = [
        hashed(numbers),
        hashed(numbers, name="other"),
        hashed(numbers, type="TIMESTAMP"),
        hashed(numbers, mode="REQUIRED"),
        hashed(numbers, name="itT", type=""),
    ]
    assert len(set(hashes)) == len(hashes)


def test_columns_count_in_their_order() -> None:
    one, other = ColumnHash(), ColumnHash()
    one.add(pa.array([1]))
    other.add(pa.array([2]))
    columns = [("a", "INT64", "NULLABLE", one), ("b", "INT64", "NULLABLE", other)]
    assert content_hash(columns) != content_hash(columns[::-1])
    assert content_hash(columns) != content_hash(columns[:1])


def test_a_hash_is_the_same_with_every_version_of_every_library() -> None:
    """Another one here would load every unchanged table once more: count `_EDITION` up if that is meant."""
    read_once = read([["Name", "n", "when"], ["Ann", 1, None], ["Björn", None, True], [None, 2.5, False]])
    assert read_once.table.content_hash == "bb3981aa170286e356af78f67013d4ebc86515329c5b9dc978bfeb64"


def test_a_hash_fits_a_label_of_bigquery() -> None:
    """cloud.google.com/bigquery/docs/labels-intro#requirements: 63 characters, lower case."""
    made = hashed(texts("a"))
    assert len(made) <= 63
    assert set(made) <= set("0123456789abcdef")
