"""What a load will do to its table, decided before anything is written."""

import pytest

from job.errors import SheetShrank
from job.loading.decision import decide
from job.loading.standing import Standing
from shared.options import Options
from tests.unit.job.reading import read


def replaced(rows: int, before: int, max_shrink: float) -> None:
    table = read([["a"], *([number] for number in range(rows))]).table
    decide(table, Standing(table.columns, before, None), Options(max_shrink=max_shrink), "config", may_shrink=False)


@pytest.mark.parametrize(("before", "max_shrink", "fewest"), [(10, 0.7, 3), (100, 0.42, 58), (100, 0.29, 71)])
def test_a_sheet_may_lose_exactly_what_max_shrink_says_and_no_row_more(
    before: int, max_shrink: float, fewest: int
) -> None:
    replaced(fewest, before, max_shrink)
    with pytest.raises(SheetShrank, match=f"has {before} rows and the sheet {fewest - 1}"):
        replaced(fewest - 1, before, max_shrink)
