"""The Cloud Audit log entry that an execution's end leaves, published to Pub/Sub as a log sink would.

The entry holds the execution in the shape of Run's v1 (Knative) API, whatever API started it. Counts are
floats and absent when zero, as Cloud Logging renders a protobuf Struct.
"""

import asyncio
import base64
import json
import logging
import zlib
from typing import Any

import httpx

from local.run.execution import ABORTED, UNKNOWN, Execution
from local.run.job import seconds_of
from local.run.resource import condition_list, timestamp

SECONDS_BEFORE_RETRY = 0.2
LONGEST_SECONDS_BEFORE_RETRY = 5.0
SECONDS_FOR_ANSWER = 10

# Reasons and states of v2 in v1's spelling.
V1_STATUS = {"CONDITION_SUCCEEDED": "True", "CONDITION_FAILED": "False"}
V1_REASON = {"NON_ZERO_EXIT_CODE": "NonZeroExitCode", "CANCELLED": "Cancelled"}

log = logging.getLogger("local.run")


class LogSink:
    """Publishes the log entry of each end to one topic, until Pub/Sub takes it.

    `pubsub` is `HOST:PORT` of the emulator, `topic` is `projects/P/topics/T`.
    """

    def __init__(self, pubsub: str, topic: str) -> None:
        self._url = f"http://{pubsub}/v1/{topic}:publish"
        # Local traffic: a proxy of the environment must not see it.
        self._client = httpx.AsyncClient(timeout=SECONDS_FOR_ANSWER, trust_env=False)

    async def announce(self, execution: Execution) -> None:
        body = {"messages": [message_of(log_entry(execution))]}
        pause = SECONDS_BEFORE_RETRY
        while not await self._published(execution, body):
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_SECONDS_BEFORE_RETRY)

    async def _published(self, execution: Execution, body: dict[str, Any]) -> bool:
        try:
            answer = await self._client.post(self._url, json=body)
        except httpx.HTTPError as error:
            log.warning("the end of %s is not published yet: %r", execution.id, error)
            return False
        if answer.is_success:
            return True
        log.warning("the end of %s is not published yet: Pub/Sub answers %d", execution.id, answer.status_code)
        return False


def message_of(entry: dict[str, Any]) -> dict[str, Any]:
    """The Pub/Sub message that a log sink makes of an entry."""
    return {
        "data": base64.b64encode(json.dumps(entry).encode()).decode(),
        "attributes": {"logging.googleapis.com/timestamp": entry["timestamp"]},
    }


def log_entry(execution: Execution) -> dict[str, Any]:
    """The execution-ended entry: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry"""
    project, location, job = _names(execution)
    completed = timestamp(execution.completed)
    return {
        "insertId": execution.uid.replace("-", "")[:14],
        "logName": f"projects/{project}/logs/cloudaudit.googleapis.com%2Fsystem_event",
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "status": _status(execution),
            "serviceName": "run.googleapis.com",
            "methodName": "/Jobs.RunJob",
            "resourceName": f"namespaces/{project}/executions/{execution.id}",
            "response": _v1_execution(execution),
        },
        "receiveTimestamp": completed,
        "resource": {
            "type": "cloud_run_job",
            "labels": {"job_name": job, "location": location, "project_id": project},
        },
        "severity": "INFO" if execution.succeeded else "ERROR",
        "timestamp": completed,
    }


def _names(execution: Execution) -> tuple[str, str, str]:
    _, project, _, location, _, job = execution.job.split("/")
    return project, location, job


def _status(execution: Execution) -> dict[str, Any]:
    if execution.succeeded:
        return {"message": f"Execution {execution.id} has completed successfully."}
    if execution.cancelled:
        return {"code": UNKNOWN, "message": f"Execution {execution.id} was cancelled."}
    successes = f"{execution.count('succeeded')}/{len(execution.tasks)} tasks were a success."
    return {"code": ABORTED, "message": f"Execution {execution.id} has failed to complete, {successes}"}


def _v1_execution(execution: Execution) -> dict[str, Any]:
    project, location, job = _names(execution)
    number = _project_number(project)
    return {
        "@type": "type.googleapis.com/google.cloud.run.v1.Execution",
        "apiVersion": "run.googleapis.com/v1",
        "kind": "Execution",
        "metadata": {
            "name": execution.id,
            "namespace": number,
            "selfLink": f"/apis/run.googleapis.com/v1/namespaces/{number}/executions/{execution.id}",
            "uid": execution.uid,
            "generation": 1.0,
            "creationTimestamp": timestamp(execution.created),
            "labels": {"run.googleapis.com/job": job, "cloud.googleapis.com/location": location},
        },
        "spec": _v1_spec(execution),
        "status": _v1_status(execution),
    }


def _project_number(project: str) -> str:
    """A stand-in for the number that Google Cloud gives a project: twelve digits, always the same."""
    return f"{100_000_000_000 + zlib.crc32(project.encode()):012d}"


def _v1_spec(execution: Execution) -> dict[str, Any]:
    template = execution.template
    container = {
        "image": f"local/{execution.job_id}",
        "command": template.command,
        "args": template.args,
        "workingDir": template.cwd,
        "env": [{"name": name, "value": value} for name, value in template.env.items()],
        "resources": {"limits": {"memory": f"{template.memory_mib}Mi"}},
    }
    task = {
        "containers": [container],
        "maxRetries": float(template.max_retries),
        "timeoutSeconds": str(round(seconds_of(template.timeout))),
    }
    count = float(len(execution.tasks))
    return {"parallelism": count, "taskCount": count, "template": {"spec": task}}


def _v1_status(execution: Execution) -> dict[str, Any]:
    counts = {f"{state}Count": float(execution.count(state)) for state in ("succeeded", "failed", "cancelled")}
    counts["retriedCount"] = float(execution.retried)
    status: dict[str, Any] = {name: count for name, count in counts.items() if count}
    if execution.started:
        status["startTime"] = timestamp(execution.started)
    return {
        **status,
        "observedGeneration": 1.0,
        "completionTime": timestamp(execution.completed),
        "logUri": execution.log_uri,
        "conditions": [*map(_v1_condition, condition_list(execution)), _retry_condition(execution)],
    }


def _v1_condition(condition: dict[str, Any]) -> dict[str, Any]:
    status = V1_STATUS.get(condition["state"], "Unknown")
    v1 = {"type": condition["type"], "status": status, "lastTransitionTime": condition["lastTransitionTime"]}
    if "message" in condition:
        v1["message"] = condition["message"]
    if "executionReason" in condition:
        v1["reason"] = V1_REASON[condition["executionReason"]]
    return v1


def _retry_condition(execution: Execution) -> dict[str, Any]:
    """Seen in entries of ended executions, successful ones too: it says nothing about this execution."""
    return {
        "type": "Retry",
        "status": "True",
        "reason": "ImmediateRetry",
        "severity": "Info",
        "message": "System will retry after 0:00 from lastTransitionTime for attempt 0.",
        "lastTransitionTime": timestamp(execution.completed),
    }
