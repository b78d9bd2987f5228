"""The process's environment, read here and nowhere else; one error names every variable that is wrong."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.config import Config, parse_config
from shared.errors import InvalidSettings
from shared.parse import parse

Positive = Annotated[int, Meta(ge=1)]
_REMEDY = "README.md has the table of settings"


class Endpoints(msgspec.Struct, frozen=True, rename=str.upper):
    """Where each service is called. Unset: Google Cloud. Nothing else differs between local and cloud.

    The two emulator hosts are the client libraries' own variables, which they read themselves.
    """

    sheets_api_endpoint: str | None = None
    drive_api_endpoint: str | None = None
    run_api_endpoint: str | None = None
    bigquery_emulator_host: str | None = None
    pubsub_emulator_host: str | None = None


class Database(msgspec.Struct, frozen=True, rename=str.upper):
    """How PostgreSQL is reached: a host with a password, or a Cloud SQL instance by its connector with IAM."""

    postgres_db: str
    postgres_user: str
    postgres_host: str | None = None
    postgres_port: Annotated[int, Meta(ge=1, le=65535)] = 5432
    postgres_password: str | None = None
    postgres_sslmode: Literal["disable", "require", "verify-full"] = "require"
    cloud_sql_instance: str | None = None
    configs_table: str = "sheet_to_bigquery_configs"

    def __post_init__(self) -> None:
        if not self.postgres_host and not self.cloud_sql_instance:
            raise ValueError("POSTGRES_HOST is missing (or CLOUD_SQL_INSTANCE, for Cloud SQL's connector)")


class Settings(msgspec.Struct, frozen=True, rename=str.upper):
    """What the functions and the commands need besides the database. Times in seconds."""

    google_cloud_project: str
    region: str = "us-central1"
    job_name: str = "sheettobigquery-job"
    request_topic: str = "sheet-to-bigquery-requests"
    completion_topic: str = "sheet-to-bigquery-completions"
    # Where BigQuery jobs run and are billed; a dataset that has to be created gets BIGQUERY_LOCATION.
    bigquery_job_project: str | None = None
    bigquery_location: str = "US"
    # Executions in flight at most. Cloud Run allows 1,000 per project and region; loads are cheap, sheets are not.
    max_running: Positive = 100
    # Google's quota for one service account (a user, to the Sheets API); raise it with the quota.
    sheets_reads_per_minute: Positive = 60
    max_attempts: Positive = 5
    # A failed attempt waits this long, then twice as long, and so on, up to an hour; half of it by chance.
    retry_seconds: Positive = 30
    # Cloud Run starts within seconds; after this long without a word, the sweep looks (it never kills).
    lease_seconds: Positive = 120
    # An execution still going after this long is cancelled, and its attempt closed.
    run_timeout_seconds: Positive = 1800

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


class RunIdentity(msgspec.Struct, frozen=True, rename=str.upper):
    """Which run's which attempt this execution is, and where its one BigQuery job goes. Set by launch alone."""

    run_id: str
    run_attempt: Positive
    run_slot: str
    bigquery_job_project: str
    bigquery_location: str
    completion_topic: str


class JobSettings(msgspec.Struct, frozen=True):
    """All that one execution of the job is told.

    `run` is absent where a person starts `main.py` with the guide's variables alone: it then loads the
    table under a job id made from the execution, and publishes nothing.
    """

    config: Config
    endpoints: Endpoints
    run: RunIdentity | None
    execution: str | None
    task_attempt: int
    bigquery_location: str
    sheets_reads_per_minute: int


class _Container(msgspec.Struct, frozen=True, rename=str.upper):
    """What Cloud Run and the deployment add to the run's own variables."""

    cloud_run_execution: str | None = None
    cloud_run_task_attempt: int = 0
    bigquery_location: str = "US"
    sheets_reads_per_minute: Positive = 60


def read_endpoints(environ: Mapping[str, str]) -> Endpoints:
    return parse(Endpoints, _present(environ), "the environment", error=InvalidSettings, remedy=_REMEDY)


def read_database(environ: Mapping[str, str]) -> Database:
    return parse(Database, _present(environ), "the environment", error=InvalidSettings, remedy=_REMEDY)


def read_settings(environ: Mapping[str, str]) -> Settings:
    return parse(Settings, _present(environ), "the environment", error=InvalidSettings, remedy=_REMEDY)


def read_job_settings(environ: Mapping[str, str]) -> JobSettings:
    """The job's settings, from the guide's variables and those that launch adds.

    Raises `InvalidSettings` that names every variable that is missing or malformed.
    """
    present = _present(environ)
    container = parse(_Container, present, "the job's environment", error=InvalidSettings, remedy=_REMEDY)
    run = None
    if "RUN_ID" in present:
        run = parse(RunIdentity, present, "the job's environment", error=InvalidSettings, remedy=_REMEDY)
    return JobSettings(
        config=_config(present),
        endpoints=read_endpoints(environ),
        run=run,
        execution=container.cloud_run_execution,
        task_attempt=container.cloud_run_task_attempt,
        bigquery_location=container.bigquery_location,
        sheets_reads_per_minute=container.sheets_reads_per_minute,
    )


def _config(present: Mapping[str, str]) -> Config:
    """The config in the guide's variables; a person's hand-started job needs neither id nor name."""
    names = [field.name for field in msgspec.structs.fields(Config)]
    raw = {name: present[name.upper()] for name in names if name.upper() in present}
    raw["id"] = present.get("CONFIG_ID")
    raw["name"] = present.get("CONFIG_NAME", present.get("BIGQUERY_TABLE_ID", "unnamed"))
    return parse_config({key: value for key, value in raw.items() if value is not None}, "the job's environment")


def _present(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that have a value: an empty one counts as unset, as deployment tools leave them."""
    return {name: value for name, value in environ.items() if value.strip()}
