"""Counts as people write them."""

import pytest

from shared.counted import counted


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12345, "12,345 rows")], ids=str
)
def test_one_of_something_has_no_s(count: int, told: str) -> None:
    assert counted(count, "row") == told
