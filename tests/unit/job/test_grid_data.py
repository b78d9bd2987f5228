"""Asking about single cells: in few requests, however many they are and wherever they lie."""

from hypothesis import given
from hypothesis import strategies as st

from job.reading.grid_data import MOST_CELLS, runs_of

POSITIONS = st.dictionaries(
    st.integers(0, 60), st.sets(st.integers(0, 3_000), min_size=1).map(sorted), min_size=1, max_size=50
)


@given(POSITIONS)
def test_every_cell_is_in_a_run_and_the_runs_are_few(positions: dict[int, list[int]]) -> None:
    runs = runs_of(positions)
    assert len(runs) <= max(30, len(positions))
    covered = {(run.column, position) for run in runs for position in range(run.first, run.last + 1)}
    assert covered >= {(column, position) for column, each in positions.items() for position in each}
    assert sum(run.last - run.first + 1 for run in runs) == len(covered)


def test_a_few_cells_are_asked_for_without_those_between_them() -> None:
    assert [(run.column, run.first, run.last) for run in runs_of({3: [7, 19_000], 5: [20_000]})] == [
        (3, 7, 7),
        (3, 19_000, 19_000),
        (5, 20_000, 20_000),
    ]


def test_a_column_that_is_riddled_with_them_takes_as_few_ranges_as_fit_into_answers() -> None:
    runs = runs_of({0: range(0, 100_000, 2), 1: range(100_000)})
    assert [(run.column, run.first, run.last) for run in runs] == [
        (0, 0, MOST_CELLS - 1),
        (0, MOST_CELLS, 99_998),
        (1, 0, MOST_CELLS - 1),
        (1, MOST_CELLS, 99_999),
    ]
