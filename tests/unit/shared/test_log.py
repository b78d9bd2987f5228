"""Log lines as Cloud Logging reads them, from a process of their own: the set-up is the whole process's."""

import json
import subprocess
import sys
from typing import Any

import pytest

PRELUDE = "import logging, uuid, warnings, datetime\nfrom shared import log\nlog.configure()\n"


def lines(program: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", PRELUDE + program], capture_output=True, timeout=60, check=True)
    assert done.stdout == b""
    return [json.loads(line) for line in done.stderr.decode().splitlines()]


@pytest.mark.parametrize(
    ("call", "severity"),
    [
        ("log.info('launched')", "INFO"),
        ("log.warning('launched')", "WARNING"),
        ("log.error('launched')", "ERROR"),
        ("logging.getLogger('googleapiclient.http').warning('%s', 'launched')", "WARNING"),
        ("logging.getLogger('a').error('launched', extra={'body': 'a cell'})", "ERROR"),
    ],
)
def test_a_line_is_one_object_with_severity_message_and_time(call: str, severity: str) -> None:
    [line] = lines(call)
    assert (line["severity"], line["message"]) == (severity, "launched")
    assert line.keys() == {"severity", "message", "time"}
    assert line["time"].endswith("Z")


def test_ids_stand_beside_the_message_and_what_json_lacks_becomes_text() -> None:
    program = (
        "log.info('launched', config_id=7, name='Umsätze', id=uuid.UUID(int=1),"
        " at=datetime.datetime(2026, 5, 4, tzinfo=datetime.UTC))"
    )
    [line] = lines(program)
    assert (line["config_id"], line["name"]) == (7, "Umsätze")
    assert line["id"] == "00000000-0000-0000-0000-000000000001"
    assert line["at"] == "2026-05-04T00:00:00+00:00"


def test_what_is_bound_is_on_every_line_the_libraries_too() -> None:
    bound = "log.bind(run_id='r')\n"
    assert [line["run_id"] for line in lines(bound + "log.info('a')\nlogging.getLogger('x').error('b')")] == [
        "r",
        "r",
    ]


def test_libraries_chatter_below_a_warning_is_left_out() -> None:
    program = "chatty = logging.getLogger('x')\nchatty.setLevel('DEBUG')\nchatty.info('a')"
    assert lines(program) == []


def test_a_line_break_and_a_broken_character_stay_inside_their_line() -> None:
    [line] = lines(r"log.info('a\nb', name='\ud800\x00')")
    assert line["message"] == "a\nb"


def test_pythons_warnings_are_lines_too() -> None:
    [line] = lines("warnings.warn('this will go')")
    assert line["severity"] == "WARNING"
    assert "this will go" in line["message"]


def test_an_exceptions_traceback_is_in_its_line() -> None:
    [line] = lines("try:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.exception('failed')")
    assert line["severity"] == "ERROR"
    assert "ZeroDivisionError" in line["exception"]


def test_functions_frameworks_own_handlers_give_way() -> None:
    [line] = lines(
        "import functions_framework\nfunctions_framework.setup_logging()\nlog.configure()\nlogging.error('a')"
    )
    assert line["message"] == "a"
