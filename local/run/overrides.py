"""What the requests of the API may ask for, and what an override changes for one execution."""

from collections.abc import Mapping

import msgspec

from local.run.job import Job, seconds_of

# https://cloud.google.com/run/docs/container-contract#jobs-env-vars: set by the system for each task.
RESERVED_ENV = frozenset(
    {
        "CLOUD_RUN_JOB",
        "CLOUD_RUN_EXECUTION",
        "CLOUD_RUN_TASK_INDEX",
        "CLOUD_RUN_TASK_COUNT",
        "CLOUD_RUN_TASK_ATTEMPT",
    }
)
# From the discovery document's EnvVar.
LONGEST_ENV_BYTES = 32768
# https://cloud.google.com/run/quotas: tasks per execution.
MOST_TASKS = 10_000


class Request(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The body of a cancel or delete, and what RunJob has in common with them.

    `etag` is accepted and not compared: so the service was seen to behave.
    """

    name: str = ""
    etag: str = ""
    validate_only: bool = False


class EnvVar(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    value: str = ""

    def __post_init__(self) -> None:
        if not self.name or "=" in self.name or "\0" in self.name + self.value:
            raise ValueError("an environment variable's name must be non-empty, without '=' and NUL")
        if self.name in RESERVED_ENV:
            raise ValueError(f"{self.name} is reserved: these values are automatically set by the system")
        if max(len(self.name.encode()), len(self.value.encode())) > LONGEST_ENV_BYTES:
            raise ValueError(f"{self.name[:100]}: names and values must not exceed {LONGEST_ENV_BYTES} bytes")


class ContainerOverride(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """`name` need not match: a job here has one container, and that is the one meant."""

    name: str = ""
    args: list[str] = []
    clear_args: bool = False
    env: list[EnvVar] = []

    def __post_init__(self) -> None:
        if self.args and self.clear_args:
            raise ValueError("args and clearArgs exclude each other")


class Overrides(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    container_overrides: list[ContainerOverride] = []
    task_count: int = 1
    timeout: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.task_count <= MOST_TASKS:
            raise ValueError(f"taskCount must be between 1 and {MOST_TASKS}, not {self.task_count}")
        if len(self.container_overrides) > 1:
            raise ValueError("the job has one container: at most one container override")
        if self.timeout:
            seconds_of(self.timeout)


class RunJobRequest(Request, rename="camel", forbid_unknown_fields=True):
    overrides: Overrides = msgspec.field(default_factory=Overrides)


class WaitRequest(msgspec.Struct, forbid_unknown_fields=True):
    name: str = ""
    timeout: str = ""

    def __post_init__(self) -> None:
        if self.timeout:
            seconds_of(self.timeout)


class Template(msgspec.Struct):
    """What each task of one execution runs: the job with the overrides applied."""

    command: list[str]
    args: list[str]
    cwd: str
    env: dict[str, str]
    timeout: str
    max_retries: int
    memory_mib: int


def template_of(job: Job, overrides: Overrides) -> Template:
    """The job's template for one execution: `args` and `timeout` replace, `env` merges by name."""
    args, env = job.args, job.env
    for override in overrides.container_overrides:
        args = [] if override.clear_args else override.args or args
        env = _merged(env, override.env)
    return Template(
        command=job.command,
        args=args,
        cwd=job.cwd,
        env=dict(env),
        timeout=overrides.timeout or job.timeout,
        max_retries=job.max_retries,
        memory_mib=job.memory_mib,
    )


def _merged(env: Mapping[str, str], override: list[EnvVar]) -> dict[str, str]:
    return {**env, **{variable.name: variable.value for variable in override}}
