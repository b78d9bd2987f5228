"""An execution of the job, as a person is told of it."""

from pathlib import Path

import pytest

from commands.execution import Execution, why_failed
from tests.deploy.linter import lint

NAME = "projects/hkd-reporting/locations/us-central1/jobs/sheettobigquery-job/executions/sheettobigquery-job-x7k2p"


def failed(log: str) -> Execution:
    return Execution(NAME, "failed", None, None, None, None, None, "The container exited with 1.", log)


def test_cloud_logging_is_asked_by_a_command_for_the_line_that_tells_why() -> None:
    why = why_failed(failed("https://console.cloud.google.com/logs/viewer?project=hkd-reporting"))
    assert why is not None
    assert 'execution_name"="sheettobigquery-job-x7k2p"' in why
    assert "--project=hkd-reporting" in why
    assert lint([why]) == []


@pytest.mark.parametrize(
    ("log", "why"),
    [
        ("{}\nJob execution failed: one\n{}\nJob execution failed: two\n{}\n", "Job execution failed: two"),
        ("Traceback\n", None),
        ("", None),
    ],
)
def test_a_log_that_is_a_file_tells_by_its_last_closing_line(log: str, why: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a blank & more.log"
    path.write_text(log)
    assert why_failed(failed(path.as_uri())) == why


def test_a_log_that_is_not_here_tells_nothing(tmp_path: Path) -> None:
    assert why_failed(failed((tmp_path / "gone.log").as_uri())) is None
