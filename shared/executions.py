"""Cloud Run: starting one execution of the job, looking at it, finding it, cancelling it."""

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from google.api_core import exceptions

from shared.clients import UNANSWERED
from shared.errors import LaunchRefused, ServiceUnavailable

if TYPE_CHECKING:
    from google.cloud import run_v2

# RunJob answers within a second or two; a function has 60 s.
_SECONDS = 30
# Looking for an execution whose name was lost goes back this many: they are listed newest first.
_SEARCHED = 1000


class Congested(LaunchRefused):
    """Cloud Run is at its limit of running executions or requests; it counts as no failure."""


class LaunchUnknown(ServiceUnavailable):
    """Nobody knows whether Cloud Run started an execution: the run stays as it is, for settling."""


class Look(msgspec.Struct, frozen=True):
    """An execution as Cloud Run shows it; `message` is Cloud Run's own sentence about its end."""

    ended: bool
    message: str = ""


class Executions:
    """The executions of one Cloud Run Job (`projects/P/locations/L/jobs/J`)."""

    def __init__(self, jobs: "run_v2.JobsClient", executions: "run_v2.ExecutionsClient", job: str) -> None:
        self._jobs = jobs
        self._executions = executions
        self.job = job

    def start(self, environment: Mapping[str, str], timeout_seconds: int) -> str:
        """Starts one execution with these variables added and tells its resource name, without waiting for it.

        Raises `LaunchRefused` (`Congested` at a limit) where Cloud Run definitely started nothing, and
        `LaunchUnknown` otherwise: RunJob has no request id, so trying again could start a second one.
        """
        from google.cloud import run_v2
        from google.protobuf import duration_pb2

        overrides = run_v2.RunJobRequest.Overrides(
            container_overrides=[
                run_v2.RunJobRequest.Overrides.ContainerOverride(
                    env=[run_v2.EnvVar(name=name, value=value) for name, value in environment.items()]
                )
            ],
            task_count=1,
            timeout=duration_pb2.Duration(seconds=timeout_seconds),
        )
        request = run_v2.RunJobRequest(name=self.job, overrides=overrides)
        try:
            operation = self._jobs.run_job(request=request, timeout=_SECONDS, retry=None)
        except exceptions.TooManyRequests as error:
            raise Congested("Cloud Run is at its limit", "the run waits and tries again") from error
        except (exceptions.BadRequest, exceptions.Forbidden, exceptions.NotFound) as error:
            raise LaunchRefused(f"Cloud Run refuses to start {self.job}", _advice(error)) from error
        except UNANSWERED as error:
            raise LaunchUnknown(
                f"Cloud Run did not say whether it started {self.job} ({type(error).__name__})",
                "the sweep will look",
            ) from error
        return operation.metadata.name

    def look(self, name: str) -> Look | None:
        """The execution as it is now; None where Cloud Run does not know it. Raises `ServiceUnavailable`."""
        try:
            execution = self._executions.get_execution(name=name, timeout=_SECONDS)
        except exceptions.NotFound:
            return None
        except UNANSWERED as error:
            raise _unavailable(error) from error
        return _seen(execution)

    def find(self, run_id: str, attempt: int) -> str | None:
        """The name of the execution that was started for this attempt; None where none is found."""
        wanted = {"RUN_ID": run_id, "RUN_ATTEMPT": str(attempt)}
        try:
            for position, execution in enumerate(self._executions.list_executions(parent=self.job, timeout=_SECONDS)):
                if position >= _SEARCHED:
                    return None
                variables = {each.name: each.value for each in execution.template.containers[0].env}
                if wanted.items() <= variables.items():
                    return execution.name
        except UNANSWERED as error:
            raise _unavailable(error) from error
        return None

    def cancel(self, name: str) -> None:
        """Asks for the execution's end, to free capacity; whether that works decides nothing."""
        with contextlib.suppress(*UNANSWERED):
            self._executions.cancel_execution(name=name, timeout=_SECONDS)

    def full_name(self, short_name: str) -> str:
        """The resource name of one of the job's executions."""
        return f"{self.job}/executions/{short_name}"


def has_ended(execution: Any) -> bool:
    """The terminal proof: a completion time alone has been seen before a retry started."""
    return bool(execution.completion_time) and execution.running_count == 0 and not execution.reconciling


def _seen(execution: Any) -> Look:
    message = next((each.message for each in execution.conditions if each.type_ == "Completed"), "")
    return Look(ended=has_ended(execution), message=message)


def _advice(error: exceptions.GoogleAPICallError) -> str:
    if isinstance(error, exceptions.NotFound):
        return "deploy the job there, or correct JOB_NAME, REGION and GOOGLE_CLOUD_PROJECT"
    if isinstance(error, exceptions.Forbidden):
        return "grant roles/run.jobsExecutorWithOverrides on the job to this identity"
    return f"Cloud Run says: {error.message}"


def _unavailable(error: Exception) -> ServiceUnavailable:
    return ServiceUnavailable(f"Cloud Run did not answer ({type(error).__name__})", "the run is looked at again")
