"""`python -m tests.faults.light_run --real N`: Cloud Run whose first N executions are the real job, the others light.

A light one speaks the same load protocol, one row under the attempt's job id with its labels, then a `RunCompleted`,
but starts no process: so ten thousand of them fit one machine. The other options are those of `local.run`.
"""

import asyncio
import base64
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from local.http import serve, server_arguments
from local.run.app import run_app
from local.run.audit_log import LogSink
from local.run.execution import ABORTED, Execution, Outcome, Task
from local.run.job import read_job
from local.run.runner import Announce, Runner
from local.run.service import Service
from local.run.store import Store

SLOTS = 16
SECONDS_BETWEEN_LOOKS = 0.2


class LightRunner(Runner):
    """Runs the first `real` tasks as processes."""

    def __init__(self, store: Store, slots: int, announce: Announce, real: int) -> None:
        super().__init__(store, slots, announce)
        self._real = real
        self._client = httpx.AsyncClient(timeout=60, trust_env=False, headers={"Authorization": "Bearer nemesis"})

    async def _attempt(self, execution: Execution, task: Task) -> Outcome:
        if self._real > 0:
            self._real -= 1
            return await super()._attempt(execution, task)
        task.state = "running"
        task.started = task.started or execution.created
        self._store.save(execution)
        try:
            await self._load(execution.template.env, execution.id)
        except httpx.HTTPError as error:
            return Outcome(ABORTED, f"{type(error).__name__}", 1)
        return Outcome()

    async def _load(self, env: Mapping[str, str], execution: str) -> None:
        run_id, attempt = env["RUN_ID"], env["RUN_ATTEMPT"]
        labels = {"run": run_id, "attempt": attempt, "execution": execution, "verdict": "loaded"}
        job = {
            "jobReference": {
                "projectId": env["BIGQUERY_JOB_PROJECT"],
                "jobId": f"sheet_to_bigquery_{run_id}_{attempt}",
                "location": env["BIGQUERY_LOCATION"],
            },
            "configuration": {"labels": labels, "load": _load_configuration(env)},
        }
        path = f"{env['BIGQUERY_EMULATOR_HOST']}/upload/bigquery/v2/projects/{env['BIGQUERY_JOB_PROJECT']}/jobs"
        parts = [(b"application/json", json.dumps(job).encode()), (b"application/octet-stream", b'{"id": 1}\n')]
        body = b"".join(b"--light\r\nContent-Type: %s\r\n\r\n%s\r\n" % part for part in parts) + b"--light--"
        headers = {"Content-Type": "multipart/related; boundary=light"}
        answer = await self._client.post(f"{path}?uploadType=multipart", content=body, headers=headers)
        answer.raise_for_status()
        await self._wait(env, answer.json())
        completed = {"run_id": run_id, "attempt": int(attempt), "execution": execution, "outcome": "succeeded"}
        await self._publish(env, completed | {"rows": 1, "requests": 4})

    async def _wait(self, env: Mapping[str, str], job: dict[str, Any]) -> None:
        reference = job["jobReference"]
        path = f"{env['BIGQUERY_EMULATOR_HOST']}/bigquery/v2/projects/{reference['projectId']}/jobs"
        while job["status"]["state"] != "DONE":
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            url = f"{path}/{reference['jobId']}?location={reference['location']}"
            job = (await self._client.get(url)).raise_for_status().json()

    async def _publish(self, env: Mapping[str, str], completed: dict[str, Any]) -> None:
        message = {"data": base64.b64encode(json.dumps(completed).encode()).decode()}
        url = f"http://{env['PUBSUB_EMULATOR_HOST']}/v1/{env['COMPLETION_TOPIC']}:publish"
        (await self._client.post(url, json={"messages": [message]})).raise_for_status()


def _load_configuration(env: Mapping[str, str]) -> dict[str, Any]:
    return {
        "destinationTable": {
            "projectId": env["GOOGLE_CLOUD_PROJECT_ID"],
            "datasetId": env["BIGQUERY_DATASET_ID"],
            "tableId": env["BIGQUERY_TABLE_ID"],
        },
        "sourceFormat": "NEWLINE_DELIMITED_JSON",
        "writeDisposition": "WRITE_TRUNCATE",
        "schema": {"fields": [{"name": "id", "type": "INTEGER"}]},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM."""
    parser = server_arguments("Cloud Run Jobs v2 whose executions are light")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--job-file", type=Path, required=True)
    parser.add_argument("--pubsub", required=True)
    parser.add_argument("--completion-topic", required=True)
    parser.add_argument("--real", type=int, default=0, help="so many executions are the real job")
    options = parser.parse_args(arguments)
    store = Store(options.data)
    slots = SLOTS if options.real == 0 else (os.cpu_count() or 1) * 2
    runner = LightRunner(store, slots, LogSink(options.pubsub, options.completion_topic).announce, options.real)
    service = Service([read_job(options.job_file)], store, runner, max_running=1000)
    serve(run_app(service, runner, require_auth=options.require_auth), options.port)


if __name__ == "__main__":
    main()
