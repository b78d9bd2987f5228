"""The graded comparison of a config's two tables: the older service's, and the shadow that the job loads beside it.

BigQuery computes it, in one pass over each table; what it answers with are names and counts. Values are read only
for a sample of rows that differ, which a terminal shows and nobody keeps.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from migration.checksums import Measured, measure
from migration.errors import NotComparable
from migration.sample import Sample, sample
from migration.tables import Seen, look
from migration.verdict import MARGIN, Moments, judge
from migration.writes import end_of_attempt, writes
from shared.comparison import ColumnDifference, Compared, Differences, ShadowRun
from shared.config import Config
from shared.errors import PermissionMissing
from shared.ledger.comparison_queries import ComparisonQueries
from shared.loaded import ColumnChange

if TYPE_CHECKING:
    from google.cloud import bigquery

# BigQuery notes a table's last write, and the end of the job that made it, apart.
_ROUNDING = timedelta(seconds=1)


class Comparison(Compared, frozen=True, kw_only=True):
    """A comparison as a person is told of it: what the ledger keeps, why it was judged so, and rows that differ.

    `notes` are sentences about what could not be looked at; `bytes_processed` are those that BigQuery read for it.
    The `sample` has values of cells: it is for a terminal.
    """

    why: str
    bytes_processed: int
    sample: Sample | None = None
    notes: tuple[str, ...] = ()


class _Pair(msgspec.Struct, frozen=True):
    """Both tables, and the names in each of the columns that both have."""

    service: Seen
    job: Seen

    @property
    def names(self) -> list[tuple[str, str]]:
        there = {column.name.casefold(): column.name for column in self.job.columns}
        common = (column.name for column in self.service.columns if column.name.casefold() in there)
        return [(name, there[name.casefold()]) for name in common]

    @property
    def schema(self) -> tuple[ColumnChange, ...]:
        """What only one side has, by the exact name, and what has another type."""
        before = {column.name: column.type for column in self.service.columns}
        after = {column.name: column.type for column in self.job.columns}
        names = dict.fromkeys((*before, *after))
        return tuple(
            ColumnChange(name, before.get(name), after.get(name))
            for name in names
            if before.get(name) != after.get(name)
        )

    @property
    def order_differs(self) -> bool:
        positions = [[column.name for column in table.columns] for table in (self.service, self.job)]
        return positions[0] != positions[1] and sorted(positions[0]) == sorted(positions[1])


class _Reading(msgspec.Struct, frozen=True):
    """Before when the service did not read, who wrote its table if no message was there, and what is not known."""

    begins: datetime
    writer: str = ""
    notes: tuple[str, ...] = ()


def compare(
    config: Config,
    shadow_suffix: str,
    store: ComparisonQueries,
    client: "bigquery.Client",
    now: datetime,
    key: str | None = None,
) -> Comparison:
    """Compares the config's table with its shadow's, and judges what differs; nothing is written anywhere.

    `key` is the column by which rows that differ are told apart; without it, the first that is unique in both tables.
    `store.record_comparison` keeps what comes back. Raises `NotComparable` where there is nothing that could be
    compared, or that a comparison would prove; `PermissionMissing`; `ServiceUnavailable`.
    """
    shadow = config.shadow(shadow_suffix)
    run = _run(store, config, shadow)
    pair = _looked_at(client, config, shadow)
    notes = (*_check_service(client, store, config, pair.service), *_check_writer(client, run, pair.job))
    read = _reading(store, client, config, pair.service)
    names = pair.names
    service = measure(client, pair.service, [name for name, _ in names])
    job = measure(client, pair.job, [name for _, name in names])
    _check_unchanged(client, config, shadow, pair)
    differences = _differences(pair, service, job)
    equal = differences == Differences(order_differs=differences.order_differs) and service.rows == job.rows
    moments = Moments(read.begins, pair.service.modified, run.claimed_at, run.sheet_modified_at, read.writer)
    verdict, why = judge(equal, moments)
    rows, unsampled = (None, ()) if equal else _sampled(client, pair, names, key)
    return Comparison(
        config_id=config.id or 0,
        config_name=config.name,
        compared_at=now,
        service_table=pair.service.path,
        job_table=pair.job.path,
        verdict=verdict,
        run_id=run.run_id,
        service_loaded_at=pair.service.modified,
        job_loaded_at=pair.job.modified,
        service_rows=service.rows,
        job_rows=job.rows,
        differences=differences,
        why=why,
        bytes_processed=service.bytes_processed + job.bytes_processed + (rows.bytes_processed if rows else 0),
        sample=rows,
        notes=(*notes, *(() if equal else read.notes), *unsampled),  # a MATCH is one whenever both were read
    )


def _run(store: ComparisonQueries, config: Config, shadow: Config) -> ShadowRun:
    """The run that the shadow table is of."""
    run = store.newest_shadow(config.id or 0, shadow.destination)
    subject = f'config {config.id} "{config.name}"'
    if run is None:
        raise NotComparable(
            f"{subject}: no shadow run has loaded {shadow.destination} yet", f"`migrate.py shadow {config.id}`"
        )
    if run.ended_at is None:
        raise NotComparable(
            f"{subject}: shadow run {run.run_id} is under way", f"`migrate.py compare {config.id}` when it has ended"
        )
    return run


def _looked_at(client: "bigquery.Client", config: Config, shadow: Config) -> _Pair:
    service = look(
        client, _path(config), "the service's table", "let the service load it first: publish the portal's message"
    )
    job = look(client, _path(shadow), "the shadow table", f"`migrate.py shadow {config.id}` loads it again")
    for seen in (service, job):
        if not seen.columns:
            raise NotComparable(f"{seen.path} has no columns", "let it be loaded first")
    return _Pair(service, job)


def _path(config: Config) -> tuple[str, str, str]:
    return config.google_cloud_project_id, config.bigquery_dataset_id, config.bigquery_table_id


def _check_service(client: "bigquery.Client", store: ComparisonQueries, config: Config, table: Seen) -> tuple[str, ...]:
    """Raises `NotComparable` where the job wrote the service's table last, when it owned it: it is no other's proof."""
    load = store.newest_load(config.id or 0, config.destination)
    if load is None:
        return ()
    ended = end_of_attempt(client, load.run_id, load.attempt, (load.job_project, load.job_location))
    if ended is None:
        return (f"the BigQuery job of run {load.run_id} cannot be seen: nothing proves who wrote {table.path} since",)
    if table.modified <= ended + _ROUNDING:
        raise NotComparable(
            f"{table.path} was last written by the job itself (run {load.run_id}), not by the service",
            "have the portal publish the config once",
        )
    return ()


def _check_writer(client: "bigquery.Client", run: ShadowRun, table: Seen) -> tuple[str, ...]:
    """Raises `NotComparable` where somebody wrote the shadow table after its run: that would prove nothing of it."""
    ended = end_of_attempt(client, run.run_id, run.attempt, (run.job_project, run.job_location))
    if ended is None:
        return (f"the BigQuery job of run {run.run_id} cannot be seen: nothing proves that it wrote {table.path}",)
    if table.modified > ended + _ROUNDING:
        raise NotComparable(
            f"{table.path} was written at {table.modified:%Y-%m-%d %H:%M:%S} UTC by somebody else, after shadow run"
            f" {run.run_id} had ended",
            "keep others from the shadow dataset, and load it again: `migrate.py shadow`",
        )
    return ()


def _check_unchanged(client: "bigquery.Client", config: Config, shadow: Config, pair: _Pair) -> None:
    """Two queries are no single moment: what was written between them has not been compared."""
    again = _looked_at(client, config, shadow)
    for before, after in ((pair.service, again.service), (pair.job, again.job)):
        if before.modified != after.modified:
            raise NotComparable(f"{before.path} was written while it was compared", "compare again")


def _differences(pair: _Pair, service: Measured, job: Measured) -> Differences:
    columns = tuple(
        ColumnDifference(name, left.nulls, right.nulls, left.checksum != right.checksum)
        for (name, _), left, right in zip(pair.names, service.columns, job.columns, strict=True)
        if left != right
    )
    moved = service.checksum != job.checksum and service.rows == job.rows and not columns
    return Differences(pair.schema, columns, moved, pair.order_differs)


def _reading(store: ComparisonQueries, client: "bigquery.Client", config: Config, table: Seen) -> _Reading:
    """When the service read: after its message's forwarding, or after a little before the table's last write began.

    BigQuery tells when that began, and by whom; where it may not be asked, the table's last write stands for it.
    Raises `NotComparable` where that was the job's own, by hand.
    """
    forwarded = store.forwarded_at(config.id or 0, table.modified)
    if forwarded is not None:
        return _Reading(forwarded)
    writer = "somebody" if store.forwarded_before(config.id or 0, table.modified) else ""
    try:
        found = writes(client, [config.destination], table.location, table.modified - _ROUNDING)
    except PermissionMissing as refused:
        doubt = f"when the table's last write began, and by whom, is not known: {refused}"
        return _Reading(table.modified - MARGIN, writer, (doubt,))
    last = next((each for each in found if each.ended and each.ended <= table.modified + _ROUNDING), None)
    if last is None:
        return _Reading(table.modified - MARGIN, writer)
    if last.is_by_hand:  # no run of the ledger's tells of it
        raise NotComparable(
            f"{table.path} was last written by the job itself, by hand (`job_helper.py execute`, BigQuery job"
            f" {last.job_id}), not by the service",
            "have the portal publish the config once",
        )
    return _Reading(last.began - MARGIN, writer and last.writer)


def _sampled(
    client: "bigquery.Client", pair: _Pair, names: Sequence[tuple[str, str]], key: str | None
) -> tuple[Sample | None, tuple[str, ...]]:
    if pair.service.location != pair.job.location:
        return None, (
            f"no rows are shown: {pair.service.path} is in {pair.service.location} and {pair.job.path} in"
            f" {pair.job.location}, and no query reads both; `bq mk --dataset --location={pair.service.location}`"
            " makes the shadow dataset where the service's is",
        )
    return (sample(client, pair.service, pair.job, names, key) if names else None), ()
