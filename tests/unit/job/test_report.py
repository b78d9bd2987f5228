"""The message that a run hears."""

import msgspec

from job.report import LARGEST_MESSAGE, fitting, fitting_plan
from shared.loaded import ColumnLoaded
from shared.messages import PlanCompleted, RunCompleted
from shared.plan import Plan, PlannedColumn, TablePlan


def completed(columns: int) -> RunCompleted:
    return RunCompleted(
        run_id="4b1b4f0e-0d5e-4a6b-9d5c-000000000000",
        attempt=1,
        execution="job-abcde",
        outcome="succeeded",
        rows=7,
        columns=tuple(ColumnLoaded(f"{'x' * 290}_{number}", "STRING") for number in range(columns)),
        warnings=("2 blank rows between others left out",),
    )


def decoded(data: bytes) -> RunCompleted:
    return msgspec.json.decode(data, type=RunCompleted)


def test_a_message_is_whole_where_it_fits() -> None:
    assert decoded(fitting(completed(100))) == completed(100)


def test_ten_thousand_columns_of_long_names_are_left_out_and_the_rest_arrives() -> None:
    data = fitting(completed(10_000))
    assert len(data) < LARGEST_MESSAGE
    assert decoded(data) == completed(0)


def planned(columns: int) -> PlanCompleted:
    told = tuple(
        PlannedColumn("h" * 300, f"{'x' * 290}_{number}", "STRING", "NULLABLE", 1) for number in range(columns)
    )
    return PlanCompleted(
        "4b1b4f0e-0d5e-4a6b-9d5c-000000000000",
        "job-abcde",
        Plan(rows=7, columns=told, warnings=("w" * 2_000,) * columns, change=TablePlan("replaces it", "US", 1, 7)),
    )


def test_a_plan_is_whole_where_it_fits() -> None:
    assert msgspec.json.decode(fitting_plan(planned(100)), type=PlanCompleted) == planned(100)


def test_of_a_plan_that_is_too_large_the_columns_are_left_out_with_a_word_about_that() -> None:
    data = fitting_plan(planned(10_000))
    assert len(data) < LARGEST_MESSAGE
    plan = msgspec.json.decode(data, type=PlanCompleted).plan
    assert (plan.rows, plan.columns, plan.change) == (7, (), TablePlan("replaces it", "US", 1, 7))
    assert "10,000 columns are too many" in plan.warnings[-1]
