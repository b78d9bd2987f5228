"""What a run would do to its table is one sentence, whatever is known of the table."""

import pytest

from console.planned import told_plan
from shared.plan import TablePlan


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (TablePlan("creates it", "US", after=48), "Creates the table in US with 48 rows"),
        (TablePlan("creates it and its dataset", "EU", after=1), "Creates the table and its dataset in EU with 1 row"),
        (TablePlan("replaces it", "EU", 1000, 9), "Replaces the table, in EU: 1,000 rows now, 9 rows afterwards"),
        (TablePlan("merges into it", "US", 5), "Merges into the table, in US: 5 rows now"),
        (
            TablePlan("replaces its partition of today, 2026-11-29", "US", 5),
            "Replaces its partition of today, 2026-11-29, in US: 5 rows now",
        ),
        (TablePlan("leaves it as it is", "US", 5), "Leaves the table as it is, in US: 5 rows now"),
        (TablePlan("makes no table", "US"), "Makes no table"),
    ],
)
def test_it_is_told(change: TablePlan, told: str) -> None:
    assert told_plan(change) == told
