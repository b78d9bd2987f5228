"""Where defaults meet code: the collaborators of the functions and the commands, built from one environment."""

import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from google.api_core import exceptions

from shared import failpoints, log
from shared.channels import Channel, Slack, Webhook
from shared.clients import UNANSWERED, Clients
from shared.config import Config
from shared.console_settings import Console, read_console
from shared.errors import InvalidSettings, LoadRefused, PermissionMissing, ServiceUnavailable
from shared.executions import Executions
from shared.ledger.store import Store, open_store
from shared.older_service import OlderService
from shared.publish import publish_plan, publish_requests
from shared.settings import Migrating, read_deployment, read_failpoints, read_migrating

if TYPE_CHECKING:
    from google.cloud import bigquery

# The library's own patience is ten minutes; a function has one.
_SECONDS = 20


@functools.cache
def wiring() -> "Wiring":
    """This process's wiring, built at the first call; its log lines are Cloud Logging's from then on."""
    log.configure()
    failpoints.arm(read_failpoints(os.environ))
    return Wiring(os.environ)


class Wiring:
    """One process's settings, clients and stores. Clients are built on first use and kept; stores are per call."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.settings, self._database, self._notifying = read_deployment(environ)
        self.clients = Clients(environ)
        self._environ = environ

    @contextmanager
    def store(self) -> Iterator[Store]:
        with open_store(self._database) as store:
            yield store

    @functools.cached_property
    def console(self) -> Console:
        """How the console learns who asks. Raises `InvalidSettings`."""
        return read_console(self._environ)

    @functools.cached_property
    def migrating(self) -> Migrating:
        """What a promotion has to prove. Raises `InvalidSettings`."""
        return read_migrating(self._environ)

    @functools.cached_property
    def executions(self) -> Executions:
        return Executions(self.clients.jobs, self.clients.executions, self.settings.job)

    @functools.cached_property
    def older_service(self) -> OlderService:
        """The service to which messages are forwarded. Raises `InvalidSettings` where nobody says which."""
        if self.settings.service_url is None:
            raise InvalidSettings(
                "the environment: SERVICE_URL is missing", "set it to the older service's address: https://….run.app"
            )
        return OlderService(self.settings.service_url, self.clients.identified, self.settings.service_timeout_seconds)

    @functools.cached_property
    def channels(self) -> list[Channel]:
        """Where people hear of runs' ends; none unless a setting names one."""
        wanted: list[Channel] = []
        told = self._notifying
        if told.slack_token:
            wanted.append(Slack(told.slack_token, told.slack_channel, self.clients.endpoints.slack_api_endpoint))
        if told.notify_webhook_url:
            wanted.append(Webhook(told.notify_webhook_url))
        return wanted

    def bigquery(self, project: str) -> "bigquery.Client":
        return self.clients.bigquery(project)

    def publish(self, run_ids: Sequence[str]) -> None:
        """Publishes `RunRequested` for these runs."""
        publish_requests(self.clients.publisher, self.settings.topic(self.settings.request_topic), run_ids)

    def publish_plan(self, plan_id: str) -> None:
        """Publishes `PlanRequested` for a plan."""
        publish_plan(self.clients.publisher, self.settings.topic(self.settings.request_topic), plan_id)

    def location_of(self, config: Config) -> str:
        """The location of the config's dataset, or where a missing one will be created."""
        dataset = f"{config.google_cloud_project_id}.{config.bigquery_dataset_id}"
        from google.cloud.bigquery import DEFAULT_RETRY

        client, retry = self.clients.bigquery(self.settings.job_project), DEFAULT_RETRY.with_timeout(_SECONDS)
        try:
            return client.get_dataset(dataset, timeout=_SECONDS, retry=retry).location
        except exceptions.NotFound:
            return self.settings.bigquery_location
        except exceptions.Forbidden as error:
            raise PermissionMissing(
                f"config {config.id}: BigQuery does not show the dataset {dataset}", "grant bigquery.datasets.get on it"
            ) from error
        except exceptions.BadRequest as error:
            raise LoadRefused(
                f"config {config.id}: BigQuery says that {dataset} is no dataset",
                "correct google_cloud_project_id and bigquery_dataset_id",
            ) from error
        except UNANSWERED as error:
            raise ServiceUnavailable(
                f"BigQuery did not answer ({type(error).__name__})", "the message is tried again"
            ) from error
