"""The message that a run hears."""

import msgspec

from job.report import LARGEST_MESSAGE, fitting
from shared.messages import ColumnLoaded, RunCompleted


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
