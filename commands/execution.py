"""An execution of the Cloud Run Job, as Cloud Run shows it to a person."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

import msgspec

from shared.asking import SECONDS, asking
from shared.executions import has_ended
from shared.links import log_filter
from shared.settings import Settings

if TYPE_CHECKING:
    from google.cloud import run_v2

# How main.py begins the last line of its log where it failed.
_CLOSING = "Job execution failed"
State = Literal["starting", "running", "succeeded", "failed", "cancelled"]


class Execution(msgspec.Struct, frozen=True):
    """One start of the job; `config` and `run_id` are what its variables tell, `message` Cloud Run's own words."""

    name: str
    state: State
    config: str | None
    run_id: str | None
    created: datetime | None
    started: datetime | None
    ended: datetime | None
    message: str
    log: str

    @property
    def short_name(self) -> str:
        return self.name.rpartition("/")[2]


def get_execution(client: "run_v2.ExecutionsClient", name: str) -> Execution:
    """The execution as it is now. Raises the product's errors."""
    with _asking(name):
        return _execution(client.get_execution(name=name, timeout=SECONDS))


def list_executions(client: "run_v2.ExecutionsClient", settings: Settings, most: int) -> list[Execution]:
    """The job's newest executions first. Raises the product's errors."""
    from google.cloud import run_v2

    request = run_v2.ListExecutionsRequest(parent=settings.job, page_size=min(most, 100))
    with _asking(settings.job):
        found: Iterator[Any] = iter(client.list_executions(request=request, timeout=SECONDS))
        return [_execution(each) for each in islice(found, most)]


def get_job(client: "run_v2.JobsClient", settings: Settings) -> "run_v2.Job":
    """The deployed job. Raises the product's errors."""
    with _asking(settings.job):
        return client.get_job(name=settings.job, timeout=SECONDS)


def why_failed(ended: Execution) -> str | None:
    """Why the job failed, of which Cloud Run knows the exit code alone: the line with which the job closed its log.

    Where the log is a file, as the local system's is, that line, if there is one. Else the command that shows it: Cloud
    Logging needs a grant of its own.
    """
    log = urlsplit(ended.log)
    if log.scheme == "file":
        return _closing_line(Path(unquote(log.path)))
    wanted = f'{log_filter(ended.short_name)} AND textPayload:"{_CLOSING}"'
    project = ended.name.split("/")[1]
    return f"gcloud logging read '{wanted}' --project={project} --limit=1 --format='value(textPayload)'"


def _closing_line(log: Path) -> str | None:
    """The last of a log's lines that tells why the job failed: an attempt that was tried again left one, too."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:  # another machine's, or cleaned away
        return None
    return next((line for line in reversed(lines) if line.startswith(_CLOSING)), None)


def _asking(name: str) -> Any:
    return asking(
        f"Cloud Run's {name}",
        missing="deploy the job there, or correct JOB_NAME, REGION and GOOGLE_CLOUD_PROJECT",
        refused="grant roles/run.viewer on the job to this identity",
    )


def _execution(seen: Any) -> Execution:
    variables = {each.name: each.value for each in seen.template.containers[0].env} if seen.template.containers else {}
    completed = next((each for each in seen.conditions if each.type_ == "Completed"), None)
    return Execution(
        name=seen.name,
        state=_state(seen, completed),
        config=variables.get("CONFIG_NAME"),
        run_id=variables.get("RUN_ID"),
        created=_moment(seen.create_time),
        started=_moment(seen.start_time),
        ended=_moment(seen.completion_time),
        message=completed.message if completed else "",
        log=seen.log_uri,
    )


def _state(seen: Any, completed: Any) -> State:
    if not has_ended(seen):
        return "running" if seen.start_time else "starting"
    if completed is not None and completed.state.name == "CONDITION_SUCCEEDED":
        return "succeeded"
    return "cancelled" if seen.cancelled_count else "failed"


def _moment(moment: Any) -> datetime | None:
    """The client's own kind of datetime as an ordinary one."""
    return datetime.fromtimestamp(moment.timestamp(), UTC) if moment else None
