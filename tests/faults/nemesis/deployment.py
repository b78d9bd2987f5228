"""During a deployment the one side is older than the other."""

import base64
import contextlib
import json
from collections.abc import Callable
from typing import Any

from tests.faults.hops import http_faults as http
from tests.faults.nemesis.fault import asks, http_fault


def _older_launch(body: bytes) -> bytes:
    told = json.loads(body)
    container = told["overrides"]["containerOverrides"][0]
    unknown = ("RUN_SLOT", "SHEETS_READS_PER_MINUTE", "PREVIOUS_JOB", "ALLOW_SHRINK")
    container["env"] = [each for each in container["env"] if each["name"] not in unknown]
    return json.dumps(told).encode()


def _newer_launch(body: bytes) -> bytes:
    told = json.loads(body)
    told["overrides"]["containerOverrides"][0]["env"].append({"name": "FROM_THE_FUTURE", "value": "yes"})
    return json.dumps(told).encode()


def _older_job(body: bytes) -> bytes:
    return _with_data(body, lambda told: {key: told[key] for key in ("run_id", "attempt", "execution", "outcome")})


def _newer_job(body: bytes) -> bytes:
    return _with_data(body, lambda told: told | {"version": 9, "from_the_future": [1, {"two": None}]})


def _with_data(body: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    push = json.loads(body)
    told = json.loads(base64.b64decode(push["message"]["data"]))
    push["message"]["data"] = base64.b64encode(json.dumps(change(told)).encode()).decode()
    return json.dumps(push).encode()


def _is_completion(request: Any) -> bool:
    with contextlib.suppress(ValueError, KeyError):
        return b'"outcome"' in base64.b64decode(json.loads(request.body)["message"]["data"])
    return False


http_fault("deployment", "an older launch", "run", http.altered(_older_launch), asks("POST", ":run"))
http_fault("deployment", "a newer launch", "run", http.altered(_newer_launch), asks("POST", ":run"))
http_fault("deployment", "an older job", "complete", http.altered(_older_job), _is_completion)
http_fault("deployment", "a newer job", "complete", http.altered(_newer_job), _is_completion)
