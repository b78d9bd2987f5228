"""A deployed job, as its JSON file describes it."""

import re
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

import msgspec

JOB_NAME = re.compile(
    r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/jobs/(?P<job>[a-z]([-a-z0-9]*[a-z0-9])?)"
)
SECONDS = re.compile(r"(\d+(?:\.\d{1,9})?)s")
# https://cloud.google.com/run/docs/configuring/task-timeout: up to 168 hours.
LONGEST_TIMEOUT_SECONDS = 168 * 60 * 60


class JobFileError(Exception):
    """The job file cannot be used."""


class Job(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One deployed job.

    `name` is `projects/P/locations/L/jobs/J`; `command` + `args` is the program that a task runs in `cwd`;
    `timeout` (`"600s"`) limits each attempt; `max_retries` counts the attempts after the first; `memory_mib`
    limits a task's resident memory. The defaults are Cloud Run's.
    """

    name: str
    command: list[str]
    cwd: str
    args: list[str] = []
    env: dict[str, str] = {}
    max_retries: int = 3
    timeout: str = "600s"
    memory_mib: int = msgspec.field(default=512, name="memoryMiB")

    def __post_init__(self) -> None:
        if not JOB_NAME.fullmatch(self.name):
            raise ValueError(f"name must be projects/P/locations/L/jobs/J, not {self.name!r}")
        if not self.command:
            raise ValueError("command must name a program")
        if self.max_retries < 0 or self.memory_mib <= 0:
            raise ValueError("maxRetries must not be negative, memoryMiB must be positive")
        seconds_of(self.timeout)

    @property
    def short_name(self) -> str:
        return self.name.rpartition("/")[2]


class DeployedJob(msgspec.Struct, frozen=True):
    """A job and when this server took it up."""

    job: Job
    uid: str
    deployed: datetime


def read_job(path: Path) -> DeployedJob:
    """The job that `path` describes.

    Raises JobFileError, naming the file and what is wrong, where it is unreadable, malformed, or names a
    folder or a program that does not exist.
    """
    try:
        job = msgspec.json.decode(path.read_bytes(), type=Job)
    except OSError as error:
        raise JobFileError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise JobFileError(f"{path}: {error}") from error
    if not Path(job.cwd).is_dir():
        raise JobFileError(f"{path}: cwd {job.cwd!r} is not a folder")
    if not _is_program(job):
        raise JobFileError(f"{path}: command {job.command[0]!r} is not an executable file")
    return DeployedJob(job, str(uuid.uuid5(uuid.NAMESPACE_URL, job.name)), datetime.now(UTC))


def _is_program(job: Job) -> bool:
    """Whether the command is found as the process will look for it: by PATH, or relative to `cwd`."""
    program = job.command[0]
    return shutil.which(str(Path(job.cwd, program)) if "/" in program else program) is not None


def seconds_of(duration: str) -> float:
    """The seconds of a JSON duration (`"1800s"`).

    ValueError for another shape, zero, or more than Cloud Run allows.
    """
    match = SECONDS.fullmatch(duration)
    seconds = float(match.group(1)) if match else 0.0
    if not 0 < seconds <= LONGEST_TIMEOUT_SECONDS:
        raise ValueError(f"timeout must be seconds as in '600s', at most {LONGEST_TIMEOUT_SECONDS}s, not {duration!r}")
    return seconds
