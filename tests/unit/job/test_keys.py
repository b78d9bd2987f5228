"""Merge keys that do not tell the rows of a sheet apart."""

import tracemalloc
from typing import Any

import pytest

from job.columns.keys import check_keys
from job.errors import KeysViolated
from job.reading.read import Reading
from tests.unit.job.grid import Rows
from tests.unit.job.reading import read

ROWS = 50_000


def refused(reading: Reading, *keys: str) -> str:
    with pytest.raises(KeysViolated) as refusal:
        check_keys(reading.table, keys, "Sheet1", "config")
    return refusal.value.what.removeprefix("config: merge_keys do not tell the rows apart: ")


@pytest.mark.parametrize("block_rows", [1, 2, 100])
def test_a_repeated_key_is_told_with_the_first_of_its_like(block_rows: int) -> None:
    rows: Rows = [["row", "b"], ["x", 1], ["y", 1], ["x", 1], [], ["y", 2], ["x", 1]]
    reading = read(rows, block_rows=block_rows)
    assert refused(reading, "row", "b") == (
        "Sheet1!A2 and Sheet1!A4 have the same key; Sheet1!A2 and Sheet1!A7 have the same key"
    )
    assert refused(reading, "b").startswith("Sheet1!B2 and Sheet1!B3 have")


def test_rows_without_a_whole_key_are_told_by_the_cell_alone() -> None:
    rows: Rows = [["a", "b"], ["x", None], ["x", None], [None, 1], ["y", 1]]
    assert refused(read(rows), "a", "b") == "nothing in Sheet1!A4; nothing in Sheet1!B2; nothing in Sheet1!B3"


def test_a_key_that_is_named_by_its_header_and_by_its_name_is_one_key() -> None:
    assert refused(read([["Order ID"], ["x"], ["x"]]), "Order ID", "order_id") == (
        "Sheet1!A2 and Sheet1!A3 have the same key"
    )


@pytest.mark.parametrize("cell", ["same", None])
def test_a_whole_sheet_of_wrong_keys_is_counted_without_an_object_for_each_row(cell: Any) -> None:
    reading = read([["a", "b"], ["other", 1], *([cell, 1] for _ in range(ROWS))], block_rows=ROWS)
    tracemalloc.start()
    try:
        told = refused(reading, "a")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert told.endswith(f"; and {ROWS - (cell is not None) - 20} more")
