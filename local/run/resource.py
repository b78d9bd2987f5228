"""Jobs, executions, tasks and operations as the v2 API shows them, in its JSON: zeros are left out."""

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from local.run.execution import ABORTED, CANCELLED_MESSAGE, EXIT_MESSAGE, Execution, Outcome, Task
from local.run.job import DeployedJob
from local.run.overrides import Overrides, Template, template_of

EXECUTION_TYPE = "type.googleapis.com/google.cloud.run.v2.Execution"
PROVISIONED_MESSAGE = "Provisioned imported containers."


def timestamp(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z") if moment else None


def job_resource(deployed: DeployedJob, executions: Sequence[Execution]) -> dict[str, Any]:
    """A Job; `executions` are all of it, oldest first."""
    job = deployed.job
    when = timestamp(deployed.deployed)
    resource = {
        "name": job.name,
        "uid": deployed.uid,
        "generation": "1",
        "createTime": when,
        "updateTime": when,
        "launchStage": "GA",
        "template": {
            "taskCount": 1,
            "template": _task_template(job.short_name, template_of(job, Overrides())),
        },
        "observedGeneration": "1",
        "terminalCondition": _condition("Ready", "CONDITION_SUCCEEDED", deployed.deployed),
        "executionCount": len(executions),
        "latestCreatedExecution": _execution_reference(executions[-1]) if executions else None,
        "etag": _etag(deployed.uid, when),
    }
    return _without_zeros(resource)


def _execution_reference(execution: Execution) -> dict[str, Any]:
    reference = {
        "name": execution.id,
        "createTime": timestamp(execution.created),
        "completionTime": timestamp(execution.completed),
        "completionStatus": _completion_status(execution),
    }
    return _without_zeros(reference)


def _completion_status(execution: Execution) -> str:
    if not execution.ended:
        return "EXECUTION_RUNNING" if execution.started else "EXECUTION_PENDING"
    if execution.cancelled:
        return "EXECUTION_CANCELLED"
    return "EXECUTION_SUCCEEDED" if execution.succeeded else "EXECUTION_FAILED"


def execution_resource(execution: Execution) -> dict[str, Any]:
    """An Execution. As the service does, `job` holds the job's short name."""
    count = len(execution.tasks)
    updated = timestamp(execution.updated)
    resource = {
        "name": execution.name,
        "uid": execution.uid,
        "generation": "1",
        "createTime": timestamp(execution.created),
        "startTime": timestamp(execution.started),
        "completionTime": timestamp(execution.completed),
        "updateTime": updated,
        "launchStage": "GA",
        "job": execution.job_id,
        "parallelism": count,
        "taskCount": count,
        "template": _task_template(execution.job_id, execution.template),
        "reconciling": not execution.ended,
        "conditions": condition_list(execution),
        "observedGeneration": "1",
        "runningCount": execution.count("running"),
        "succeededCount": execution.count("succeeded"),
        "failedCount": execution.count("failed"),
        "cancelledCount": execution.count("cancelled"),
        "retriedCount": execution.retried,
        "logUri": execution.log_uri,
        "etag": _etag(execution.uid, updated),
    }
    return _without_zeros(resource)


def task_resource(execution: Execution, task: Task) -> dict[str, Any]:
    updated = timestamp(execution.updated)
    resource = {
        **_task_template(execution.job_id, execution.template),
        "name": f"{execution.name}/tasks/{execution.task_name(task)}",
        "uid": task.uid,
        "generation": "1",
        "createTime": timestamp(execution.created),
        "startTime": timestamp(task.started),
        "completionTime": timestamp(task.completed),
        "updateTime": updated,
        "job": execution.job_id,
        "execution": execution.id,
        "index": task.index,
        "reconciling": not task.ended,
        "conditions": [_task_completed(execution, task)],
        "observedGeneration": "1",
        "retried": task.retried,
        "lastAttemptResult": _attempt_result(task.last_attempt) if task.last_attempt else None,
        "logUri": execution.log_uri,
        "etag": _etag(task.uid, updated),
    }
    return _without_zeros(resource)


def _attempt_result(outcome: Outcome) -> dict[str, Any]:
    status = _without_zeros({"code": outcome.code, "message": outcome.message})
    return {"status": status, **_without_zeros({"exitCode": outcome.exit_code})}


def run_operation(execution: Execution) -> dict[str, Any]:
    """RunJob's operation, done when the execution has ended; a cancelled one is a response, not an error."""
    return _operation(execution.run_operation, execution, None if execution.cancelled else execution.failure)


def cancel_operation(execution: Execution) -> dict[str, Any]:
    return _operation(execution.cancel_operation, execution, None)


def finished_operation(name: str, execution: Execution) -> dict[str, Any]:
    """An operation on an execution that is done at once."""
    shown = {"@type": EXECUTION_TYPE, **execution_resource(execution)}
    return {"name": name, "metadata": shown, "done": True, "response": shown}


def _operation(name: str, execution: Execution, failure: Outcome | None) -> dict[str, Any]:
    metadata = {"@type": EXECUTION_TYPE, **execution_resource(execution)}
    operation = {"name": name, "metadata": metadata}
    if not execution.ended:
        return operation
    if failure:
        error = {"code": failure.code, "message": execution.failure_message()}
        return {**operation, "done": True, "error": error}
    return {**operation, "done": True, "response": metadata}


def condition_list(execution: Execution) -> list[dict[str, Any]]:
    """The four conditions of an execution, `Completed` first; only that one says how it ended."""
    return [
        _completed(execution),
        _provisioned("ResourcesAvailable", PROVISIONED_MESSAGE, execution),
        _provisioned("Started", f"Started deployed execution in {_waited(execution)}.", execution),
        _condition("ContainerReady", "CONDITION_SUCCEEDED", execution.created, "Imported container image."),
    ]


def _completed(execution: Execution) -> dict[str, Any]:
    if execution.completed is None:
        when = execution.started or execution.created
        if execution.cancelling:
            message, reason = "Waiting for execution to be cancelled.", "CANCELLING"
            return _condition("Completed", "CONDITION_RECONCILING", when, message, reason)
        if execution.started:
            return _condition("Completed", "CONDITION_RECONCILING", when, "Waiting for execution to complete.")
        return _condition("Completed", "CONDITION_PENDING", when, "Waiting for execution to start.")
    when = execution.completed
    if execution.succeeded:
        took = _seconds(execution.started, execution.completed)
        return _condition("Completed", "CONDITION_SUCCEEDED", when, f"Execution completed successfully in {took}.")
    if execution.cancelled:
        return _condition("Completed", "CONDITION_FAILED", when, CANCELLED_MESSAGE, "CANCELLED")
    return _condition("Completed", "CONDITION_FAILED", when, execution.failure_message(), _reason(execution.failure))


def _reason(failure: Outcome | None) -> str:
    exited = failure is not None and failure.code == ABORTED and failure.message == EXIT_MESSAGE
    return "NON_ZERO_EXIT_CODE" if exited else ""


def _provisioned(kind: str, message: str, execution: Execution) -> dict[str, Any]:
    if execution.started:
        return _condition(kind, "CONDITION_SUCCEEDED", execution.started, message)
    if execution.completed:
        return _condition(kind, "CONDITION_FAILED", execution.completed, CANCELLED_MESSAGE, "CANCELLED")
    return _condition(kind, "CONDITION_RECONCILING", execution.created, "Waiting for execution to start.")


def _task_completed(execution: Execution, task: Task) -> dict[str, Any]:
    if task.state == "succeeded":
        return _condition("Completed", "CONDITION_SUCCEEDED", task.completed)
    if not task.ended:
        return _condition("Completed", "CONDITION_RECONCILING", task.started or execution.created)
    last = task.last_attempt
    reason = "CANCELLED" if task.state == "cancelled" else _reason(last)
    return _condition("Completed", "CONDITION_FAILED", task.completed, last.message if last else "", reason)


def _condition(kind: str, state: str, when: datetime | None, message: str = "", reason: str = "") -> dict[str, Any]:
    condition = {
        "type": kind,
        "state": state,
        "message": message,
        "lastTransitionTime": timestamp(when),
        "executionReason": reason,
    }
    return _without_zeros(condition)


def _task_template(job_id: str, template: Template) -> dict[str, Any]:
    container = {
        "image": f"local/{job_id}",
        "command": template.command,
        "args": template.args,
        "workingDir": template.cwd,
        "env": [_without_zeros({"name": name, "value": value}) for name, value in template.env.items()],
        "resources": {"limits": {"memory": f"{template.memory_mib}Mi"}},
    }
    return {
        "containers": [_without_zeros(container)],
        # Shown even when 0: the field has presence in the API.
        "maxRetries": template.max_retries,
        "timeout": template.timeout,
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
    }


def _waited(execution: Execution) -> str:
    return _seconds(execution.created, execution.started)


def _seconds(begin: datetime | None, end: datetime | None) -> str:
    elapsed = (end - begin).total_seconds() if begin and end else 0.0
    return f"{elapsed:.2f}s"


def _etag(uid: str, updated: str | None) -> str:
    return f'"{zlib.crc32(f"{uid} {updated}".encode()):08x}"'


def _without_zeros(resource: dict[str, Any]) -> dict[str, Any]:
    """proto3's JSON leaves out zeros, empty strings and lists."""
    return {name: value for name, value in resource.items() if value not in (None, 0, "", [], {}, False)}
