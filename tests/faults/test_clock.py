"""The wrong clock of one process, and the identity that it has all the same."""

import json
import os
import subprocess
import sys
import time

import pytest

from local.ports import forget_proxies
from tests.faults.metadata import TOKEN, Metadata
from tests.faults.nemesis.clocks import CLOCK, WRONG

TELL = """
import datetime, json, logging, time
began = time.monotonic()
time.sleep(0.2)
print(json.dumps({
    "clocks": [
        time.time(), time.time_ns() / 1e9, datetime.datetime.now().timestamp(),
        datetime.datetime.now(datetime.UTC).timestamp(),
        datetime.datetime.utcnow().replace(tzinfo=datetime.UTC).timestamp(),
        datetime.datetime.today().timestamp(), logging.makeLogRecord({}).created,
        datetime.datetime(*time.gmtime()[:6], tzinfo=datetime.UTC).timestamp(),
    ],
    "slept": time.monotonic() - began,
    "type": type(datetime.datetime.now()) is datetime.datetime,
}))
"""
FETCH = """
import google.auth, google.auth.transport.requests
credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
credentials.refresh(google.auth.transport.requests.Request())
print(credentials.token, project, credentials.valid)
"""


def run(script: str, **environment: str) -> str:
    variables = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "ignore", **environment}
    return subprocess.run(
        [sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("seconds", WRONG.values())
def test_all_that_python_tells_is_off_by_an_hour_and_nothing_waits_for_it(seconds: int) -> None:
    told = json.loads(run(TELL, PYTHONPATH=str(CLOCK), FAULT_CLOCK=str(seconds)))
    assert all(abs(clock - time.time() - seconds) < 5 for clock in told["clocks"]), told
    assert 0.2 <= told["slept"] < 2
    assert told["type"]


@pytest.mark.parametrize("seconds", WRONG.values())
def test_a_container_has_its_identity_whatever_its_clock_tells(seconds: int) -> None:
    forget_proxies()
    metadata = Metadata()
    try:
        told = run(FETCH, PYTHONPATH=str(CLOCK), FAULT_CLOCK=str(seconds), **metadata.settings)
    finally:
        metadata.stop()
    assert told.split() == [TOKEN, "local-project", "True"]
