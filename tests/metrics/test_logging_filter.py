"""The evaluator of filters, and what becomes of printed lines, apart from the job."""

import pytest

from tests.metrics.log_entries import entries_of
from tests.metrics.logging_filter import parse_filter

ENTRY = {
    "resource": {"type": "cloud_run_job", "labels": {"job_name": "j"}},
    "severity": "INFO",
    "textPayload": "It Failed.",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('resource.type="cloud_run_job"', True),
        ('resource.labels.job_name="k"', False),
        ("severity=INFO", True),
        ("severity=info", True),
        ('textPayload="It Failed"', False),
        ('textPayload:"it failed"', True),
        ('jsonPayload.message:"it"', False),
        ('NOT jsonPayload.message:"it"', True),
        ('jsonPayload.message!="it"', True),
        ('severity="ERROR" OR textPayload:"failed"', True),
        # OR binds closer than AND.
        ('severity="ERROR" AND resource.type="x" OR textPayload:"failed"', False),
        ('textPayload:"failed" OR resource.type="x" AND severity="ERROR"', False),
        ('severity="INFO"\n  textPayload:"failed"', True),
        ('severity="INFO"\n  textPayload:"other"', False),
        ('(severity="ERROR" AND resource.type="x") OR textPayload:"failed"', True),
    ],
)
def test_a_filter_says_what_logging_says(text: str, holds: bool) -> None:
    assert parse_filter(text)(ENTRY) is holds


@pytest.mark.parametrize("text", ["severity>=ERROR", 'textPayload=~"x"', "(severity=INFO", "severity=", '"alone"', ""])
def test_what_is_not_known_here_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_filter(text)


def test_lines_become_entries_by_what_they_are() -> None:
    lines = [
        "Job done",
        '{"severity": "WARNING", "message": "tried", "config_id": 7}',
        '{"message": "alone"}',
        "[1]",
        "",
    ]
    assert [
        {name: value for name, value in entry.items() if name != "resource"} for entry in entries_of(lines, "j")
    ] == [
        {"severity": "DEFAULT", "textPayload": "Job done"},
        {"severity": "WARNING", "jsonPayload": {"message": "tried", "config_id": 7}},
        {"severity": "DEFAULT", "textPayload": "alone"},
        {"severity": "DEFAULT", "textPayload": "[1]"},
    ]
