"""When a run tries again: later each time, never all at once, never after the next hourly slot."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.retry import retry_at

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def wait(failures: int, first_seconds: int = 30) -> float:
    return (retry_at(NOON, failures, first_seconds) - NOON).total_seconds()


@pytest.mark.parametrize(("failures", "most"), [(0, 30), (1, 60), (2, 120), (6, 1920), (7, 3600), (1_000_000, 3600)])
def test_each_failure_doubles_the_wait_up_to_an_hour_and_half_of_it_is_chance(failures: int, most: int) -> None:
    waits = [wait(failures) for _ in range(200)]
    assert most / 2 <= min(waits) < most * 0.6
    assert most * 0.9 < max(waits) <= most


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=604_800))
def test_no_number_of_failures_waits_less_than_half_a_second_or_more_than_an_hour(failures: int, first: int) -> None:
    assert 0.5 <= wait(failures, first) <= 3600
