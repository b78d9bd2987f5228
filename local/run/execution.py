"""An execution of a job and its tasks: their states, and the facts that follow from them."""

import secrets
import string
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from local.run.overrides import Template

SUFFIX_ALPHABET = string.ascii_lowercase + string.digits
SUFFIX_LENGTH = 5

# google.rpc.Code
CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL = 1, 2, 4, 10, 13

EXIT_MESSAGE = "The container exited with an error."
TIMEOUT_MESSAGE = "The configured timeout was reached."
MEMORY_MESSAGE = "The configured memory limit was reached."
CANCELLED_MESSAGE = "Cancelled by user."
RESTARTED_MESSAGE = "The server stopped before the task completed."


class Outcome(msgspec.Struct, frozen=True):
    """How one attempt ended; `code` is a google.rpc.Code, 0 for success."""

    code: int = 0
    message: str = ""
    exit_code: int = 0

    @classmethod
    def exited(cls, exit_code: int) -> "Outcome":
        return cls(ABORTED, EXIT_MESSAGE, exit_code) if exit_code else cls()


class Task(msgspec.Struct):
    """One task; `retried` counts its attempts after the first."""

    index: int
    uid: str
    state: Literal["pending", "running", "succeeded", "failed", "cancelled"] = "pending"
    retried: int = 0
    started: datetime | None = None
    completed: datetime | None = None
    last_attempt: Outcome | None = None

    @property
    def ended(self) -> bool:
        return self.state in ("succeeded", "failed", "cancelled")


class Execution(msgspec.Struct):
    """One execution; `announced` says that its end has been published."""

    job: str
    id: str
    uid: str
    created: datetime
    updated: datetime
    template: Template
    tasks: list[Task]
    log_path: str
    run_operation: str
    cancel_operation: str = ""
    completed: datetime | None = None
    announced: bool = False

    @property
    def name(self) -> str:
        return f"{self.job}/executions/{self.id}"

    @property
    def job_id(self) -> str:
        return self.job.rpartition("/")[2]

    @property
    def log_uri(self) -> str:
        return Path(self.log_path).as_uri()

    @property
    def started(self) -> datetime | None:
        return min((task.started for task in self.tasks if task.started), default=None)

    @property
    def ended(self) -> bool:
        return self.completed is not None

    @property
    def cancelling(self) -> bool:
        """Whether somebody asked to cancel it before it had ended by itself."""
        return bool(self.cancel_operation)

    @property
    def succeeded(self) -> bool:
        return self.ended and all(task.state == "succeeded" for task in self.tasks)

    @property
    def cancelled(self) -> bool:
        return self.ended and any(task.state == "cancelled" for task in self.tasks)

    @property
    def failed_task(self) -> Task | None:
        return next((task for task in self.tasks if task.state == "failed"), None)

    @property
    def failure(self) -> Outcome | None:
        """Why the execution failed: what its first failed task ended with."""
        task = self.failed_task
        return task.last_attempt if task else None

    @property
    def retried(self) -> int:
        """How many tasks were retried at least once."""
        return sum(task.retried > 0 for task in self.tasks)

    def count(self, state: str) -> int:
        return sum(task.state == state for task in self.tasks)

    def task_name(self, task: Task) -> str:
        return f"{self.id}-task{task.index}"

    def failure_message(self) -> str:
        """The message of the first task that failed, as the service words it: it carries the exit code."""
        task, last = self.failed_task, self.failure
        if task is None or last is None:
            return ""
        return f"Task {self.task_name(task)} failed with exit code: {last.exit_code} and message: {last.message}"


def execution_id(job: str) -> str:
    """A new execution's id: the job's, a dash and five lower-case letters or digits."""
    return f"{job}-" + "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(SUFFIX_LENGTH))
