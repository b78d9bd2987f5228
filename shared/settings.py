"""The process's environment, read here and nowhere else; one error names every variable that is wrong."""

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from shared.config import Config, examine_config, project_problem
from shared.errors import InvalidSettings
from shared.parse import Checked, Examined, Problem, examine, parse, refuse, shape

# No deployment comes near; a slip of the finger does, and PostgreSQL's integers end at 2^31.
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
# Cloud Run's longest task, seven days.
Seconds = Annotated[int, Meta(ge=1, le=604_800)]
SHADOW_SUFFIX = "_shadow"
_SUFFIX = re.compile(r"[A-Za-z0-9_]{1,100}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_REMEDY = "README.md has the table of settings"


class Endpoints(Checked, frozen=True, rename=str.upper):
    """Where each service is called. Unset: Google Cloud. Nothing else differs between local and cloud.

    The two emulator hosts are the client libraries' own variables, which they read themselves.
    """

    sheets_api_endpoint: str | None = None
    drive_api_endpoint: str | None = None
    run_api_endpoint: str | None = None
    slack_api_endpoint: str | None = None
    monitoring_api_endpoint: str | None = None
    bigquery_emulator_host: str | None = None
    pubsub_emulator_host: str | None = None

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        for field, value in values.items():
            if value is None:
                continue
            if field == "pubsub_emulator_host" and "/" in value:
                yield field, "is an address, not a host and port: 127.0.0.1:8085"
            elif field != "pubsub_emulator_host" and not _is_address(value):
                yield field, "is not an address: http://127.0.0.1:9050"
            elif field == "slack_api_endpoint" and not is_safe_address(value):
                yield field, "is not an https address (http is for this machine alone)"


class Database(Checked, frozen=True, rename=str.upper):
    """How PostgreSQL is reached: a host with a password, or a Cloud SQL instance by its connector with IAM."""

    postgres_db: str
    postgres_user: str
    postgres_host: str | None = None
    postgres_port: Annotated[int, Meta(ge=1, le=65535)] = 5432
    postgres_password: str | None = None
    postgres_sslmode: Literal["disable", "require", "verify-full"] = "require"
    cloud_sql_instance: str | None = None
    configs_table: str = "sheet_to_bigquery_configs"

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        if not values.get("postgres_host") and not values.get("cloud_sql_instance"):
            yield "postgres_host", "is missing (or CLOUD_SQL_INSTANCE, for Cloud SQL's connector)"
        if "configs_table" in values and not all(values["configs_table"].split(".")):
            yield "configs_table", "is not a table's name, alone or with its schema: public.configs"


class Settings(Checked, frozen=True, rename=str.upper):
    """What the functions and the commands need besides the database. Times in seconds."""

    google_cloud_project: str
    region: str = "us-central1"
    job_name: str = "sheettobigquery-job"
    request_topic: str = "sheet-to-bigquery-requests"
    completion_topic: str = "sheet-to-bigquery-completions"
    # The older service's topic, and the service itself, while it has configs of its own: forward alone calls it.
    portal_topic: str = "sheet-to-bigquery-portal"
    service_url: str | None = None
    # Cloud Run's time-out of the service's requests, by default its own: nobody else writes the table for so long.
    service_timeout_seconds: Annotated[int, Meta(ge=1, le=3600)] = 300
    # Where BigQuery jobs run and are billed; a dataset that has to be created gets BIGQUERY_LOCATION.
    bigquery_job_project: str | None = None
    bigquery_location: str = "US"
    # Executions in flight at most. Cloud Run allows 1,000 per project and region; loads are cheap, sheets are not.
    max_running: Count = 100
    # Google's quota for one service account (a user, to the Sheets API); raise it with the quota.
    sheets_reads_per_minute: Count = 60
    max_attempts: Count = 5
    # A failed attempt waits this long, then twice as long, and so on, up to an hour; half of it by chance.
    retry_seconds: Seconds = 30
    # A sweep stays so long while runs wait for the quota's next minute or their next attempt, and admits them in
    # time: less than its function's time-out, 60 s unless deployed otherwise. 0: it leaves them to the next sweep.
    sweep_seconds: Annotated[int, Meta(ge=0, le=3600)] = 40
    # Runs that ended, and messages, go after so many days. Pub/Sub repeats a message for seven at most.
    runs_kept_days: Annotated[int, Meta(ge=8, le=36_500)] = 90
    # Whether people are told of every success, not only of one after a failure.
    notify_success: bool = False
    # So many runs of a config in a row that failed for good pause it; 0: never. Ten days of a daily one.
    pause_after_failures: Annotated[int, Meta(ge=0, le=1_000_000)] = 10
    # Cloud Run starts within seconds; after this long without a word, the sweep looks (it never kills).
    lease_seconds: Seconds = 120
    # An execution still going after this long is cancelled, and its attempt closed.
    run_timeout_seconds: Seconds = 1800
    # What the shadow runs of a migration put behind a dataset's name, so that they load beside the older service.
    shadow_suffix: str = SHADOW_SUFFIX

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        for field in ("google_cloud_project", "bigquery_job_project"):
            if problem := project_problem(values[field]) if values.get(field) else None:
                yield field, problem
        suffix = values.get("shadow_suffix")
        if suffix is not None and not _SUFFIX.fullmatch(suffix):
            yield "shadow_suffix", f"is {shape(suffix)}, not letters, digits and _ (as a dataset's name has them)"
        url = values.get("service_url")
        if url and not (is_safe_address(url) and urlsplit(url).path in ("", "/") and not urlsplit(url).query):
            yield "service_url", "is not a service's address alone, with https (http is for this machine alone)"

    @property
    def job_project(self) -> str:
        return self.bigquery_job_project or self.google_cloud_project

    @property
    def job(self) -> str:
        """The Cloud Run Job's resource name."""
        return f"projects/{self.google_cloud_project}/locations/{self.region}/jobs/{self.job_name}"

    def topic(self, name: str) -> str:
        """A topic's resource name; names that are resource names already stay."""
        return name if name.startswith("projects/") else f"projects/{self.google_cloud_project}/topics/{name}"


class Notifying(Checked, frozen=True, rename=str.upper):
    """Where people hear of a run's end: by Slack, by a webhook, by both, or not at all. The addresses are secrets."""

    # The older service's names: a bot's token, and its channel.
    slack_token: str | None = msgspec.field(default=None, name="slack_accessToken")
    slack_channel: str = "dev_alerts"
    notify_webhook_url: str | None = None

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        url = values.get("notify_webhook_url")
        if url and not is_safe_address(url):
            yield "notify_webhook_url", "is not an https address (http is for this machine alone)"
        token = values.get("slack_token")
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            yield "slack_token", f"is {shape(token)}, not a bot's token (xoxb-…)"


class Migrating(Checked, frozen=True, rename=str.upper):
    """What `migrate.py` is told beside the deployment's settings."""

    # So many comparisons in a row have to be MATCH before a table is the job's, each of another load of the service's.
    migration_matches: Count = 3
    # Who is written into the audit; without it, the user and the machine.
    migration_actor: str | None = None
    # The older service's name in Cloud Run, as deploy.sh has it.
    service: str = "service-sheettobigquery"


class RunIdentity(Checked, frozen=True, rename=str.upper):
    """Which run's which attempt this execution is, and where its one BigQuery job goes. Set by launch alone."""

    run_id: str
    run_attempt: Count
    bigquery_job_project: str
    bigquery_location: str
    completion_topic: str
    # The instant that the run stands for (an older launch does not tell it), and the BigQuery job of the config's
    # newest run that loaded anything, whose content may be the table's still.
    run_slot: datetime | None = None
    previous_job: str | None = None

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        try:
            uuid.UUID(values.get("run_id", uuid.NAMESPACE_URL.hex))
        except ValueError:
            yield "run_id", "is not a UUID (leave it out to run the job by hand)"


class PlanIdentity(Checked, frozen=True, rename=str.upper):
    """Which plan this execution is for: it reads and decides, tells that, and loads nothing. Set by launch alone.

    Its RUN_ID says that there is no run, to a job that would not know a plan.
    """

    plan_id: str
    bigquery_job_project: str
    completion_topic: str

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        try:
            uuid.UUID(values.get("plan_id", uuid.NAMESPACE_URL.hex))
        except ValueError:
            yield "plan_id", "is not a UUID"


class JobSettings(msgspec.Struct, frozen=True):
    """All that one execution of the job is told.

    With a `plan` it loads nothing. It and `run` are absent where a person starts `main.py` with the guide's variables
    alone: it then loads the table under a job id made from the execution, and publishes nothing.
    """

    config: Config
    endpoints: Endpoints
    run: RunIdentity | None
    plan: PlanIdentity | None
    execution: str | None
    task_attempt: int
    bigquery_location: str
    sheets_reads_per_minute: int
    # For this execution alone, the option max_shrink holds nothing back.
    allow_shrink: bool = False


class _Container(msgspec.Struct, frozen=True, rename=str.upper):
    """What Cloud Run and the deployment add to the run's own variables."""

    cloud_run_execution: str | None = None
    cloud_run_task_attempt: int = 0
    allow_shrink: bool = False
    bigquery_location: str = "US"
    sheets_reads_per_minute: Count = 60


def read_endpoints(environ: Mapping[str, str]) -> Endpoints:
    return parse(Endpoints, present(environ), "the environment", error=InvalidSettings, remedy=_REMEDY)


def read_database(environ: Mapping[str, str]) -> Database:
    return parse(Database, present(environ), "the environment", error=InvalidSettings, remedy=_REMEDY)


def has_database(environ: Mapping[str, str]) -> bool:
    """Whether any setting says that a database is meant: then what is missing or wrong in them is an error."""
    return any(environ.get(name) for name in ("POSTGRES_HOST", "POSTGRES_DB", "POSTGRES_USER", "CLOUD_SQL_INSTANCE"))


def read_settings(environ: Mapping[str, str]) -> Settings:
    return parse(Settings, present(environ), "the environment", error=InvalidSettings, remedy=_REMEDY)


def read_deployment(environ: Mapping[str, str]) -> tuple[Settings, Database, Notifying]:
    """What a function or a command needs. One error names all that is wrong, of the endpoints too."""
    given = present(environ)
    settings, database, endpoints = examine(Settings, given), examine(Database, given), examine(Endpoints, given)
    notifying = examine(Notifying, given)
    problems = [*settings.problems, *database.problems, *endpoints.problems, *notifying.problems]
    refuse(problems, "the environment", InvalidSettings, _REMEDY)
    return settings.model, database.model, notifying.model


def read_migrating(environ: Mapping[str, str]) -> Migrating:
    return parse(Migrating, present(environ), "the environment", error=InvalidSettings, remedy=_REMEDY)


def read_failpoints(environ: Mapping[str, str]) -> str | None:
    """The folder of FAILPOINTS (`shared/failpoints.py`), which nobody but the fault tests sets."""
    return environ.get("FAILPOINTS") or None


def read_job_settings(environ: Mapping[str, str]) -> JobSettings:
    """The job's settings, from the guide's variables and those that launch adds.

    Raises `InvalidSettings` that names every variable that is missing or malformed.
    """
    given = present(environ)
    config = _config(given)
    container = examine(_Container, given)
    endpoints = examine(Endpoints, given)
    # Whatever else is said beside it: what was started for a plan never loads.
    plan = examine(PlanIdentity, given) if "PLAN_ID" in given else None
    run = examine(RunIdentity, given) if "RUN_ID" in given and plan is None else None
    identity = plan or run
    problems = [*config.problems, *container.problems, *endpoints.problems, *(identity.problems if identity else ())]
    refuse(dict.fromkeys(problems), "the job's environment", InvalidSettings, _REMEDY)
    return JobSettings(
        config=config.model,
        endpoints=endpoints.model,
        run=run.model if run else None,
        plan=plan.model if plan else None,
        execution=container.model.cloud_run_execution,
        task_attempt=container.model.cloud_run_task_attempt,
        bigquery_location=container.model.bigquery_location,
        sheets_reads_per_minute=container.model.sheets_reads_per_minute,
        allow_shrink=container.model.allow_shrink,
    )


def _config(given: Mapping[str, str]) -> Examined[Config]:
    """The config in the guide's variables; a person's hand-started job needs neither id nor name."""
    fields = [field.name for field in msgspec.structs.fields(Config)]
    raw = {field: given.get(_variable(field)) for field in fields}
    raw["name"] = raw["name"] or raw["bigquery_table_id"] or "unnamed"
    return examine_config(raw, spelled=_variable)


def _variable(field: str) -> str:
    """The guide's variable for a config's field."""
    return {"id": "CONFIG_ID", "name": "CONFIG_NAME"}.get(field, field.upper())


def present(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that have a value: an empty one counts as unset, as deployment tools leave them.

    Spaces and line breaks around a value come from files and secrets (`echo` adds one); of the password, which
    may begin or end with a space, only the line break goes.
    """
    return {
        name: value.rstrip("\r\n") if name == "POSTGRES_PASSWORD" else value.strip()
        for name, value in environ.items()
        if value.strip()
    }


def is_safe_address(value: str) -> bool:
    """Whether what is sent there cannot be read on its way: https, or this machine itself."""
    return (
        _is_address(value)
        and value.isascii()
        and not any(map(str.isspace, value))
        and (value.startswith("https://") or urlsplit(value).hostname in _LOOPBACK)
    )


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
