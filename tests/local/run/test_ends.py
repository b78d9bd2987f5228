"""The server's own end and its next start: nothing is orphaned, nothing is forgotten."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import JOB, ROOT, Server, StartServer, alive, condition, job_description

SLEEP = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


def started_pid(server: Server, name: str) -> int:
    return int(server.until(lambda: server.log(server.execution(name)), bool))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_servers_end_ends_its_programs(start_server: StartServer, number: signal.Signals) -> None:
    server = start_server()
    pid = started_pid(server, server.run(SLEEP).metadata.name)
    exit_code = server.stop(number)
    assert exit_code == (-number if number == signal.SIGKILL else 0)
    server.until(lambda: alive(pid), lambda living: not living, seconds=5)
    start_server()
    assert list(server.folder.joinpath("homes").iterdir()) == []


def test_somebody_who_waits_for_an_operation_does_not_hold_up_the_end(start_server: StartServer) -> None:
    server = start_server()
    operation = server.run(SLEEP).operation.name
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/v2/{operation}:wait", json={}, timeout=0.2, trust_env=False)
    assert server.stop() == 0


def test_executions_are_found_again_after_a_restart_and_the_running_one_failed(
    start_server: StartServer,
) -> None:
    first = start_server()
    succeeded = first.run("print('kept')").result(timeout=20)
    running = first.run(SLEEP)
    started_pid(first, running.metadata.name)
    first.stop(signal.SIGKILL)
    second = start_server()
    assert second.execution(succeeded.name) == succeeded
    assert second.log(succeeded) == "kept\n"
    interrupted = second.execution(running.metadata.name)
    assert interrupted.failed_count == 1
    assert interrupted.completion_time
    assert "The server stopped" in condition(interrupted, "Completed").message
    operation = second.jobs.get_operation({"name": running.operation.name}, timeout=10)
    assert operation.done
    assert operation.error.code == 10


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "sheettobigquery-job"}, "projects/P/locations/L/jobs/J"),
        ({"command": []}, "command"),
        ({"command": ["/nowhere/python"]}, "/nowhere/python"),
        ({"cwd": "/nowhere"}, "/nowhere"),
        ({"timeout": "10m"}, "10m"),
        ({"maxRetries": -1}, "maxRetries"),
        ({"retries": 1}, "retries"),
        ({"env": {"N": 1}}, "env"),
    ],
)
def test_a_job_file_that_cannot_run_is_named_with_what_is_wrong(
    tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    job_file = tmp_path / "job.json"
    job_file.write_text(json.dumps(job_description(tmp_path) | change))
    command = [sys.executable, "-m", "local.run", "--port", "0", "--data", tmp_path, "--job-file", job_file]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert str(job_file) in ended.stderr
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def test_two_servers_run_beside_each_other(start_server: StartServer) -> None:
    one, other = start_server(folder="one"), start_server(folder="other")
    execution = one.run("pass").result(timeout=20)
    assert one.jobs.get_job(name=JOB, timeout=10).execution_count == 1
    assert other.jobs.get_job(name=JOB, timeout=10).execution_count == 0
    assert execution.succeeded_count == 1
