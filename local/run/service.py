"""What the API's methods do, apart from HTTP."""

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from local.run.errors import does_not_exist, failed_precondition, not_found, too_many_running
from local.run.execution import Execution, Task, execution_id
from local.run.job import DeployedJob
from local.run.overrides import Request, RunJobRequest, template_of
from local.run.resource import (
    cancel_operation,
    execution_resource,
    finished_operation,
    job_resource,
    run_operation,
    task_resource,
)
from local.run.runner import Runner
from local.run.store import Store

# What was running has to be cancelled before it is deleted, and gets 10 s to end.
SECONDS_TO_DELETE = 15

Resource = dict[str, Any]


class Service:
    """The deployed jobs, and their executions: at most `max_running` that run or wait."""

    def __init__(self, jobs: Sequence[DeployedJob], store: Store, runner: Runner, max_running: int) -> None:
        self._jobs = {deployed.job.name: deployed for deployed in jobs}
        self._store = store
        self._runner = runner
        self._max_running = max_running
        self._operations: dict[str, tuple[Execution, Callable[[Execution], Resource]]] = {}
        for execution in store.all():
            self._remember_operations(execution)

    def take_up(self) -> None:
        """Fail what an earlier server left running, and announce the ends that it could not."""
        self._store.fail_interrupted()
        for execution in self._store.all():
            if not execution.announced:
                self._runner.announce_later(execution)

    def get_job(self, name: str) -> Resource:
        return job_resource(self._job(name), self._store.of_job(name))

    def list_jobs(self, parent: str) -> list[Resource]:
        return [self.get_job(name) for name in self._jobs if name.startswith(f"{parent}/jobs/")]

    def run(self, name: str, request: RunJobRequest) -> Resource:
        """Start an execution; its operation holds it at once."""
        deployed = self._job(name)
        if self._store.running() >= self._max_running:
            raise too_many_running(self._max_running, name.split("/")[3])
        execution = self._new_execution(deployed, request)
        if not request.validate_only:
            self._remember_operations(execution)
            self._runner.start(execution)
            self._store.forget_oldest(name)
        return run_operation(execution)

    def _new_execution(self, deployed: DeployedJob, request: RunJobRequest) -> Execution:
        job = deployed.job
        now = datetime.now(UTC)
        identity = execution_id(job.short_name)
        return Execution(
            job=job.name,
            id=identity,
            uid=str(uuid.uuid4()),
            created=now,
            updated=now,
            template=template_of(job, request.overrides),
            tasks=[Task(index, str(uuid.uuid4())) for index in range(request.overrides.task_count)],
            log_path=str(self._store.log_path(identity)),
            run_operation=_operation_name(job.name),
        )

    def get_execution(self, name: str) -> Resource:
        return execution_resource(self._execution(name))

    def list_executions(self, job: str) -> list[Resource]:
        """The executions of one job, or of all jobs of the location where its id is `-`; newest first."""
        parent, _, job_id = job.rpartition("/")
        if job_id == "-":
            executions = [execution for execution in self._store.all() if execution.job.startswith(f"{parent}/")]
        else:
            self._job(job)
            executions = self._store.of_job(job)
        return [execution_resource(execution) for execution in reversed(executions)]

    async def cancel(self, name: str, request: Request) -> Resource:
        """Have a running or waiting execution terminated; the operation is done when it has ended."""
        execution = self._execution(name)
        if execution.ended:
            raise failed_precondition(f"Execution '{execution.id}' cannot be cancelled because it is not running.")
        if request.validate_only:
            return finished_operation(_operation_name(execution.job), execution)
        if not execution.cancel_operation:
            execution.cancel_operation = _operation_name(execution.job)
            self._remember_operations(execution)
            await self._runner.cancel(execution)
        return cancel_operation(execution)

    async def delete(self, name: str, validate_only: bool) -> Resource:
        """Forget an execution and its log, after cancelling it if it runs."""
        execution = self._execution(name)
        operation = finished_operation(_operation_name(execution.job), execution)
        if validate_only:
            return operation
        if not execution.ended:
            await self.cancel(name, Request())
            await self._runner.wait(execution, SECONDS_TO_DELETE)
        self._store.delete(execution)
        return finished_operation(operation["name"], execution)

    def list_tasks(self, execution_name: str) -> list[Resource]:
        execution = self._execution(execution_name)
        return [task_resource(execution, task) for task in execution.tasks]

    def get_task(self, name: str) -> Resource:
        execution_name, _, task_id = name.rpartition("/tasks/")
        execution = self._execution(execution_name)
        for task in execution.tasks:
            if execution.task_name(task) == task_id:
                return task_resource(execution, task)
        raise does_not_exist("TASK", name)

    def get_operation(self, name: str) -> Resource:
        if name not in self._operations:
            raise not_found(f"Operation {name} does not exist.")
        execution, rendered = self._operations[name]
        return rendered(execution)

    async def wait_operation(self, name: str, seconds: float) -> Resource:
        self.get_operation(name)
        await self._runner.wait(self._operations[name][0], seconds)
        return self.get_operation(name)

    def _job(self, name: str) -> DeployedJob:
        if name not in self._jobs:
            raise does_not_exist("JOB", name)
        return self._jobs[name]

    def _execution(self, name: str) -> Execution:
        execution = self._store.get(name)
        if execution is None:
            raise does_not_exist("EXECUTION", name)
        return execution

    def _remember_operations(self, execution: Execution) -> None:
        self._operations[execution.run_operation] = (execution, run_operation)
        if execution.cancel_operation:
            self._operations[execution.cancel_operation] = (execution, cancel_operation)


def _operation_name(job: str) -> str:
    location = job.rpartition("/jobs/")[0]
    return f"{location}/operations/{uuid.uuid4()}"
