"""Everything that a run of one config needs, as checks; none of them changes anything."""

import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.api_core import exceptions

from commands.check import Check
from commands.config_file import read_config_file
from commands.execution import get_job
from commands.named import find_named
from job.errors import NotAGrid, RangeNotFound, TabNotFound
from job.reading.calls import Calls
from job.reading.refusals import Subject
from job.reading.sheet import SheetReader
from shared.asking import BRIEF_RETRY, SECONDS, asking
from shared.clients import Clients
from shared.config import Config, parse_config
from shared.counted import counted
from shared.errors import InvalidConfig, NotOurs, PermissionMissing, TableConflict
from shared.ledger.store import open_store
from shared.run import Verdict
from shared.settings import Database, Settings, read_database, read_settings

# A person waits for each check.
_WAIT_BUDGET = 10.0
_MAY_WRITE = ["bigquery.tables.updateData", "bigquery.tables.update"]


class Examination:
    """One config's examination: by id or name from the database, or from a file, as `execute` runs it."""

    def __init__(self, environ: Mapping[str, str], wanted: str | None, path: Path | None) -> None:
        self._environ = environ
        self._wanted = wanted
        self._path = path

    def checks(self) -> list[Check]:
        """All checks, each after those that it needs."""
        of_row = [
            Check("database", self._look_at_database, ("settings",)),
            Check("config", self._look_at_row, ("database",)),
            Check("schedule", self._look_at_schedule, ("config",)),
        ]
        of_file = [Check("config", self._look_at_file)]
        of_google = [
            Check("spreadsheet", self._look_at_spreadsheet, ("config", "credentials")),
            Check("tab", self._look_at_tab, ("spreadsheet",)),
            # Both ask for the same file: what keeps Sheets from it is one fault, told once.
            Check("Drive API", self._look_at_drive, ("spreadsheet",)),
            Check("BigQuery jobs", self._look_at_bigquery, ("settings", "credentials")),
            Check("dataset", self._look_at_dataset, ("config", "BigQuery jobs")),
            Check("Cloud Run job", self._look_at_job, ("settings", "credentials")),
        ]
        of_topics = [
            Check("request topic", self._look_at_request_topic, ("settings", "credentials")),
            Check("completion topic", self._look_at_completion_topic, ("settings", "credentials")),
        ]
        first = [Check("settings", self._look_at_settings), Check("credentials", self._look_at_credentials)]
        return first + (of_file + of_google if self._path else of_row + of_google + of_topics)

    # -- what the checks share: built on first use, by checks whose needs have passed ----------------------

    @functools.cached_property
    def _settings(self) -> Settings:
        return read_settings(self._environ)

    @functools.cached_property
    def _database(self) -> Database:
        return read_database(self._environ)

    @functools.cached_property
    def _clients(self) -> Clients:
        return Clients(self._environ)

    @functools.cached_property
    def _row(self) -> dict[str, Any]:
        with open_store(self._database) as store:
            return find_named(self._wanted or "", store)

    @functools.cached_property
    def _config(self) -> Config:
        return read_config_file(self._path).config if self._path else parse_config(self._row)

    @functools.cached_property
    def _reader(self) -> SheetReader:
        subject = Subject(f'config "{self._config.name}"', self._clients.identity)
        calls = Calls(subject, self._settings.sheets_reads_per_minute, wait_budget=_WAIT_BUDGET)
        return SheetReader(calls, self._clients.sheets(), self._clients.drive(), self._config)

    # -- settings, identity, database --------------------------------------------------------------------

    def _look_at_settings(self) -> str:
        told = f"project {self._settings.google_cloud_project}, region {self._settings.region}"
        if self._path:
            return told
        database = self._database
        return f"{told}, database {database.postgres_db} at {database.cloud_sql_instance or database.postgres_host}"

    def _look_at_credentials(self) -> str:
        from google.auth.credentials import AnonymousCredentials
        from google.auth.transport.requests import Request

        credentials = self._clients.credentials
        if isinstance(credentials, AnonymousCredentials):
            return "none: requests are anonymous, as the endpoint settings allow"
        with asking("the token server", missing="check the credentials", refused="check the credentials"):
            credentials.refresh(Request())
        return f"we are {self._clients.identity or 'a person, by gcloud login'}"

    def _look_at_database(self) -> str:
        with open_store(self._database) as store:
            configs = sum(store.count_verdicts(store.now()).values())
        return f"reachable, schema applied, {counted(configs, 'config')}"

    # -- the config --------------------------------------------------------------------------------------

    def _look_at_row(self) -> str:
        config = self._config
        return f'{config.id} "{config.name}" is valid: {config.destination}'

    def _look_at_file(self) -> str:
        return f"{self._path} is valid: {self._config.destination}"

    def _look_at_schedule(self) -> str:
        verdict = self._verdict()
        subject = f'config {verdict.config_id} "{verdict.name}"'
        match verdict.verdict:
            case "paused" | "not_ours":
                raise NotOurs(f"{subject} is not run", verdict.reason)
            case "table_conflict":
                raise TableConflict(f"{subject} {verdict.reason}", "give one of them another table, or pause it")
            case "bad_frequency":
                raise InvalidConfig(f"{subject} is never due", verdict.reason)
            case _:
                return verdict.reason

    def _verdict(self) -> Verdict:
        with open_store(self._database) as store:
            now, names = store.now(), [self._row["name"]]
            verdicts = [each for due in (True, False) for each in store.judge(now, due=due, most=1000, names=names)]
        return next(each for each in verdicts if each.config_id == self._row["id"])

    # -- the sheet ---------------------------------------------------------------------------------------

    def _look_at_spreadsheet(self) -> str:
        with contextlib.suppress(TabNotFound, NotAGrid, RangeNotFound):  # it can be read, which is the question here
            self._reader.tab()
        return f"readable by {self._clients.identity or 'us'}"

    def _look_at_tab(self) -> str:
        tab = self._reader.tab()
        return f'"{tab.title}" is there, {tab.height} × {tab.width}'

    def _look_at_drive(self) -> str:
        self._reader.version()
        return "on, and tells the spreadsheet's version"

    # -- BigQuery ----------------------------------------------------------------------------------------

    def _look_at_bigquery(self) -> str:
        from google.cloud import bigquery

        project = self._settings.job_project
        refused = f"grant roles/bigquery.jobUser in {project} to this identity, and enable bigquery.googleapis.com"
        with asking(f"BigQuery in {project}", missing="correct BIGQUERY_JOB_PROJECT", refused=refused):
            dry = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False)
            self._clients.bigquery(project).query(
                "SELECT 1", job_config=dry, timeout=SECONDS, retry=BRIEF_RETRY, job_retry=None
            )
        return f"we may create jobs in {project}"

    def _look_at_dataset(self) -> str:
        config = self._config
        dataset = f"{config.google_cloud_project_id}.{config.bigquery_dataset_id}"
        client = self._clients.bigquery(self._settings.job_project)
        grant = f"grant roles/bigquery.dataEditor on {dataset} to this identity"
        with asking(f"dataset {dataset}", missing=f"create {dataset}", refused=grant):
            try:
                location = client.get_dataset(dataset, timeout=SECONDS, retry=BRIEF_RETRY).location
            except exceptions.NotFound:
                return (
                    f"{dataset} is not there: the first load creates it in {self._settings.bigquery_location},"
                    " if we may create datasets"
                )
            told = f"{dataset} is in {location}"
            try:
                table = config.destination
                granted = client.test_iam_permissions(table, _MAY_WRITE, timeout=SECONDS, retry=BRIEF_RETRY)
            except exceptions.NotFound:
                return f"{told}; the first load creates the table"
        lacking = sorted(set(_MAY_WRITE) - set(granted.get("permissions", [])))
        if lacking:
            raise PermissionMissing(f"{table} may not be written ({', '.join(lacking)})", grant)
        return f"{told}, and the table may be written"

    # -- Cloud Run and Pub/Sub ---------------------------------------------------------------------------

    def _look_at_job(self) -> str:
        job = get_job(self._clients.jobs, self._settings)
        runs_as = job.template.template.service_account
        told = f"{self._settings.job_name} is deployed in {self._settings.region}"
        if runs_as and runs_as != self._clients.identity:
            # What these checks found holds for us: the job needs the same grants.
            return f"{told}; it runs as {runs_as}: share the spreadsheet with that address"
        return told

    def _look_at_request_topic(self) -> str:
        return self._topic(self._settings.request_topic)

    def _look_at_completion_topic(self) -> str:
        return self._topic(self._settings.completion_topic)

    def _topic(self, name: str) -> str:
        topic = self._settings.topic(name)
        refused = "grant roles/pubsub.viewer on it to this identity"
        with asking(topic, missing=f"create it: `gcloud pubsub topics create {topic}`", refused=refused):
            self._clients.publisher.get_topic(topic=topic, timeout=SECONDS, retry=BRIEF_RETRY)
        return f"{topic} is there"
