"""Where the job loads beside the service: a dataset of its own, in the location of the service's."""

import contextlib
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import msgspec
from google.api_core import exceptions

from commands.execution import get_job
from commands.migration.errors import DatasetMisplaced, TableMissing
from commands.migration.leftovers import MADE_BY
from shared.asking import BRIEF_RETRY, SECONDS, asking
from shared.config import Config
from shared.errors import SyncError, TableConflict
from shared.wiring import Wiring

if TYPE_CHECKING:
    from google.cloud import bigquery

# As BigQuery shows what deploy.sh grants, and what lets a load make and replace tables as well.
_DESCRIPTION = "What the job loads beside the older service, to be compared; `migrate.py finish` drops it."
_WRITERS = ("WRITER", "OWNER", "roles/bigquery.dataEditor", "roles/bigquery.dataOwner", "roles/bigquery.admin")


class ShadowDataset(msgspec.Struct, frozen=True):
    """A dataset (`project.dataset`) for shadows, and the location that it has or is to have; `writers` are the
    addresses that it says may write it."""

    name: str
    location: str
    is_there: bool
    writers: tuple[str, ...] = ()


def examine_dataset(config: Config, suffix: str, wiring: Wiring) -> ShadowDataset:
    """What there is for the config's shadow. Raises `TableMissing` where the service has no table to compare with, and
    `DatasetMisplaced` where no query could read both."""
    client = wiring.bigquery(wiring.settings.job_project)
    own = f"{config.google_cloud_project_id}.{config.bigquery_dataset_id}"
    location = _location_of_table(client, config, own)
    name = own + suffix
    with asking(f"dataset {name}", missing="", refused=f"grant roles/bigquery.dataOwner on {name} to this identity"):
        try:
            shown = client.get_dataset(name, timeout=SECONDS, retry=BRIEF_RETRY)
        except exceptions.NotFound:
            return ShadowDataset(name, location, False)
    if shown.location.lower() != location.lower():
        raise DatasetMisplaced(
            f'config {config.id} "{config.name}": {name} is in {shown.location}, and {own} in {location}',
            f"delete {name} if nobody needs it, and it is made where it belongs; or set SHADOW_SUFFIX",
        )
    writers = [entry.entity_id for entry in shown.access_entries if entry.role in _WRITERS]
    return ShadowDataset(name, location, True, tuple(each for each in writers if isinstance(each, str)))


def refuse_strangers_table(beside: Config, wiring: Wiring) -> None:
    """Raises `TableConflict` where a table is there that no shadow run made: a load would replace what it holds."""
    client = wiring.bigquery(wiring.settings.job_project)
    told = f'config {beside.id} "{beside.name}": {beside.destination}'
    grant = f"grant roles/bigquery.dataViewer on {beside.destination.rpartition('.')[0]} to this identity"
    with asking(told, missing="", refused=grant), contextlib.suppress(exceptions.NotFound):
        client.get_table(beside.destination, timeout=SECONDS, retry=BRIEF_RETRY)
        raise TableConflict(
            f"{told} is there, and no shadow run has made it",
            "delete it if nobody needs it, or set SHADOW_SUFFIX to something else, here and in the deployment",
        )


def make_datasets(wanted: Iterable[ShadowDataset], wiring: Wiring) -> list[str]:
    """Makes those that are missing, all or none, and tells them."""
    from google.cloud import bigquery

    client = wiring.bigquery(wiring.settings.job_project)
    made: list[str] = []
    for each in {one.name: one for one in wanted if not one.is_there}.values():
        dataset = bigquery.Dataset(each.name)
        dataset.location, dataset.labels = each.location, MADE_BY
        dataset.description = _DESCRIPTION
        project = each.name.partition(".")[0]
        refused = (
            f"grant roles/bigquery.user on project {project} to this identity, or make {each.name} in {each.location}"
        )
        try:
            with asking(f"making dataset {each.name}", missing=f"project {project} is not there", refused=refused):
                client.create_dataset(dataset, exists_ok=True, timeout=SECONDS, retry=BRIEF_RETRY)
        except SyncError:
            for name in made:
                client.delete_dataset(name, not_found_ok=True, timeout=SECONDS, retry=BRIEF_RETRY)
            raise
        made.append(each.name)
    return made


def missing_grants(datasets: Iterable[ShadowDataset], written: Collection[str], wiring: Wiring) -> list[str]:
    """What to type where neither the datasets say that the job's identity may write them, nor it has `written` them
    before; a role on their project may let it all the same."""
    unknown = {each.name: each for each in sorted(datasets, key=lambda one: one.name) if each.name not in written}
    if not unknown:
        return []
    try:
        identity = get_job(wiring.clients.jobs, wiring.settings).template.template.service_account
    except SyncError:  # who may not look at the job may be allowed all the rest
        identity = ""
    if not (lacking := [name for name in unknown if not identity or identity not in unknown[name].writers]):
        return []
    told = [
        f"The job may have to be let into {', '.join(lacking)}: add that to DATASETS of the deployment's env file and"
        " run `./deploy.sh` again (which lets launch look, too)."
    ]
    for name in lacking if identity else []:
        project, _, dataset = name.partition(".")
        told.append(
            f"For the job alone: bq query --project_id={project} --use_legacy_sql=false"
            f" 'GRANT `roles/bigquery.dataEditor` ON SCHEMA `{project}`.`{dataset}`"
            f' TO "serviceAccount:{identity}"\''
        )
    return told


def _location_of_table(client: "bigquery.Client", config: Config, dataset: str) -> str:
    label = f'config {config.id} "{config.name}"'
    with asking(
        f"{label}: BigQuery's {config.destination}",
        missing="",
        refused=f"grant roles/bigquery.dataViewer on {dataset} to this identity",
    ):
        try:
            client.get_table(config.destination, timeout=SECONDS, retry=BRIEF_RETRY)
            return str(client.get_dataset(dataset, timeout=SECONDS, retry=BRIEF_RETRY).location)
        except exceptions.NotFound:
            raise TableMissing(
                f"{label}: the service has no table {config.destination}",
                "have the portal publish the config once, or correct its dataset and table; what the service cannot"
                " load has nobody to be proved to: mark it job_ready by SQL (MIGRATION_GUIDE.md, step 11), and"
                f" `python migrate.py types {config.id} --apply`",
            ) from None
