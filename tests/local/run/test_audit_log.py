"""The log entry that announces an execution's end, as it arrives through Google's Pub/Sub emulator."""

import base64
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.component import wait_until_ready
from local.ports import reserve_port
from local.pubsub import PubSub

from .conftest import Server, StartServer, until

TOPIC = "projects/local-project/topics/completions"
SUBSCRIPTION = "projects/local-project/subscriptions/completions"
SECONDS_TO_START = 30


class Emulator:
    """Google's Pub/Sub emulator with one topic and one subscription."""

    def __init__(self, folder: Path) -> None:
        pubsub = PubSub("local-project", reserve_port())
        self.host = pubsub.host
        self._process = pubsub.component(os.environ, folder, folder / "pubsub.log")
        self._http = httpx.Client(base_url=f"http://{self.host}", trust_env=False)

    def start(self) -> None:
        self._process.start()
        wait_until_ready([self._process], SECONDS_TO_START)
        self._http.put(f"/v1/{TOPIC}", json={}).raise_for_status()
        self._http.put(f"/v1/{SUBSCRIPTION}", json={"topic": TOPIC}).raise_for_status()

    def stop(self) -> None:
        self._process.kill()

    def message(self) -> dict[str, Any]:
        """The next message, acknowledged; waits for it."""
        body = {"maxMessages": 1}

        def pull() -> list[dict[str, Any]]:
            answer = self._http.post(f"/v1/{SUBSCRIPTION}:pull", json=body, timeout=30)
            return list(answer.raise_for_status().json().get("receivedMessages", []))

        [received] = until(pull, bool)
        self._http.post(f"/v1/{SUBSCRIPTION}:acknowledge", json={"ackIds": [received["ackId"]]})
        return dict(received["message"])

    def entry(self) -> dict[str, Any]:
        return dict(json.loads(base64.b64decode(self.message()["data"])))


@pytest.fixture(scope="module")
def running_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path_factory.mktemp("pubsub"))
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture
def announcing(running_emulator: Emulator, start_server: StartServer) -> Server:
    return start_announcing(start_server, running_emulator)


def start_announcing(start_server: StartServer, emulator: Emulator) -> Server:
    return start_server("--pubsub", emulator.host, "--completion-topic", TOPIC)


def completed(entry: dict[str, Any]) -> dict[str, Any]:
    conditions = entry["protoPayload"]["response"]["status"]["conditions"]
    return next(condition for condition in conditions if condition["type"] == "Completed")


def test_a_success_is_announced_as_the_log_sink_would(announcing: Server, running_emulator: Emulator) -> None:
    execution = announcing.run("pass", env={"RUN_ID": "7"}).result(timeout=20)
    message = running_emulator.message()
    entry = json.loads(base64.b64decode(message["data"]))
    identity = execution.name.rpartition("/")[2]
    assert entry["logName"] == "projects/local-project/logs/cloudaudit.googleapis.com%2Fsystem_event"
    assert entry["resource"] == {
        "type": "cloud_run_job",
        "labels": {
            "job_name": "sheettobigquery-job",
            "location": "us-central1",
            "project_id": "local-project",
        },
    }
    payload = entry["protoPayload"]
    assert payload["@type"] == "type.googleapis.com/google.cloud.audit.AuditLog"
    assert payload["status"] == {"message": f"Execution {identity} has completed successfully."}
    assert (payload["serviceName"], payload["methodName"]) == ("run.googleapis.com", "/Jobs.RunJob")
    assert payload["resourceName"] == f"namespaces/local-project/executions/{identity}"
    response = payload["response"]
    assert response["@type"] == "type.googleapis.com/google.cloud.run.v1.Execution"
    assert response["metadata"]["name"] == identity
    assert response["metadata"]["uid"] == execution.uid
    assert response["metadata"]["labels"]["run.googleapis.com/job"] == "sheettobigquery-job"
    [container] = response["spec"]["template"]["spec"]["containers"]
    assert {"name": "RUN_ID", "value": "7"} in container["env"]
    assert {"name": "FROM_JOB", "value": "job"} in container["env"]
    assert isinstance(response["status"]["succeededCount"], float)
    assert "failedCount" not in response["status"]
    assert datetime.fromisoformat(response["status"]["completionTime"]) == execution.completion_time
    assert completed(entry)["status"] == "True"
    assert message["attributes"]["logging.googleapis.com/timestamp"] == entry["timestamp"]


def test_a_failure_is_announced_with_aborted_and_its_count(announcing: Server, running_emulator: Emulator) -> None:
    identity = announcing.run("exit(1)").metadata.name.rpartition("/")[2]
    entry = running_emulator.entry()
    assert entry["severity"] == "ERROR"
    assert entry["protoPayload"]["status"] == {
        "code": 10,
        "message": f"Execution {identity} has failed to complete, 0/1 tasks were a success.",
    }
    assert entry["protoPayload"]["response"]["status"]["failedCount"] == 1.0
    assert completed(entry)["status"] == "False"
    assert completed(entry)["reason"] == "NonZeroExitCode"


def test_a_cancelled_execution_that_never_started_is_announced(
    running_emulator: Emulator, start_server: StartServer
) -> None:
    options = ["--pubsub", running_emulator.host, "--completion-topic", TOPIC, "--cpu-slots", "1"]
    server = start_server(*options)
    server.run("import time; time.sleep(60)")
    waiting = server.run("pass").metadata.name
    server.executions.cancel_execution(name=waiting, timeout=10)
    entry = running_emulator.entry()
    assert entry["protoPayload"]["resourceName"].endswith(waiting.rpartition("/")[2])
    assert entry["protoPayload"]["status"]["code"] == 2
    assert "startTime" not in entry["protoPayload"]["response"]["status"]
    assert completed(entry)["status"] == "False"


def test_an_end_is_announced_once_pubsub_can_be_reached(running_emulator: Emulator, start_server: StartServer) -> None:
    port = reserve_port()
    server = start_server("--pubsub", f"127.0.0.1:{port}", "--completion-topic", TOPIC)
    execution = server.run("pass").result(timeout=20)
    with forwarded(port, running_emulator.host):
        entry = running_emulator.entry()
    assert entry["protoPayload"]["resourceName"].endswith(execution.name.rpartition("/")[2])


@contextmanager
def forwarded(port: int, host: str) -> Iterator[None]:
    """The port refuses connections before, and leads to `host` during the block."""
    target = (host.partition(":")[0], int(host.partition(":")[2]))

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, far = listener.accept()[0], socket.create_connection(target)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", port)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


def test_an_end_that_a_killed_server_could_not_announce_is_announced_by_the_next(
    running_emulator: Emulator, start_server: StartServer
) -> None:
    server = start_announcing(start_server, running_emulator)
    execution = server.run("import time; print('began', flush=True); time.sleep(60)").metadata
    server.until(lambda: server.log(server.execution(execution.name)), bool)
    server.stop(signal.SIGKILL)
    start_announcing(start_server, running_emulator)
    entry = running_emulator.entry()
    assert entry["protoPayload"]["resourceName"].endswith(execution.name.rpartition("/")[2])
    assert completed(entry)["status"] == "False"
