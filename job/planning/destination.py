"""A plan's second part: what a run would change in BigQuery, by the job's own decision. Nothing here writes."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from google.api_core import exceptions

from job.columns.table import Table
from job.loading.decision import decide
from job.loading.standing import Standing, look_at
from shared.asking import BRIEF_RETRY, SECONDS, asking
from shared.config import Config
from shared.options import Options
from shared.plan import TablePlan

if TYPE_CHECKING:
    from google.cloud import bigquery


class Destination(msgspec.Struct, frozen=True):
    """The destination as it is: `standing` is None where there is no table, `has_dataset` tells of its dataset."""

    standing: Standing | None
    location: str
    has_dataset: bool


def look(config: Config, client: "bigquery.Client", location: str) -> Destination:
    """The config's table; a missing dataset would be created in `location`.

    Raises `LoadRefused`, as a load would, where a view or the like has the table's name; `PermissionMissing`;
    `ServiceUnavailable`.
    """
    dataset = f"{config.google_cloud_project_id}.{config.bigquery_dataset_id}"
    grant = f"grant roles/bigquery.dataViewer on {config.bigquery_dataset_id} to this identity"
    with asking(config.destination, missing="correct google_cloud_project_id", refused=grant):
        standing = look_at(client, config)
        try:
            there = client.get_dataset(dataset, timeout=SECONDS, retry=BRIEF_RETRY)
        except exceptions.NotFound:
            return Destination(standing, location, False)
    return Destination(standing, there.location or location, True)


def plan_table(config: Config, destination: Destination, table: Table | None, subject: str) -> TablePlan:
    """How loading `table` would change the destination; without one, nothing would. Raises what `decide` raises."""
    options, standing = config.options, destination.standing
    before = standing.rows if standing else None
    nothing = TablePlan("leaves it as it is" if standing else "makes no table", destination.location, before)
    if table is None:
        return nothing
    decision = decide(table, standing, options, subject, may_shrink=False)
    if decision.keeps:
        return msgspec.structs.replace(nothing, after=before)
    return TablePlan(
        effect=_effect(options, destination) + _unless(options, standing),
        location=destination.location,
        rows=before,
        after=_rows_after(options, standing, table.rows),
        schema=decision.fitting.changes,
        left_out=decision.fitting.warnings,
    )


def _effect(options: Options, destination: Destination) -> str:
    if destination.standing is None:
        return "creates it" if destination.has_dataset else "creates it and its dataset"
    match options.load_mode:
        case "append":
            return "appends to it"
        case "merge":
            return "merges into it"
        case "snapshot":
            return f"replaces its partition of today, {datetime.now(UTC):%Y-%m-%d}"
        case _:
            return "replaces it"


def _unless(options: Options, standing: Standing | None) -> str:
    return ", unless the last run brought this very content" if options.skip_unchanged and standing else ""


def _rows_after(options: Options, standing: Standing | None, rows: int) -> int | None:
    if standing is None or options.load_mode == "replace":
        return rows
    return standing.rows + rows if options.load_mode == "append" else None
