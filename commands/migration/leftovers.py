"""What the migration made in BigQuery: shadow tables, and datasets for them."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from google.api_core import exceptions

from shared.asking import BRIEF_RETRY, SECONDS, asking

if TYPE_CHECKING:
    from google.cloud import bigquery

# Tells a dataset that we made from one that was there.
MADE_BY = {"made_by": "sheet-to-bigquery-migration"}


def there(client: "bigquery.Client", tables: Sequence[str]) -> list[str]:
    """Those of the tables (`project.dataset.table`) that exist."""
    return [table for table in tables if _is_there(client, table)]


def made_datasets(client: "bigquery.Client", datasets: Iterable[str], tables: Sequence[str]) -> list[str]:
    """Those of the datasets (`project.dataset`) that we made, and that have no other tables than these."""
    found = []
    for dataset in sorted(set(datasets)):
        with _asking(dataset):
            try:
                shown = client.get_dataset(dataset, timeout=SECONDS, retry=BRIEF_RETRY)
            except exceptions.NotFound:
                continue
            others = {f"{dataset}.{each.table_id}" for each in client.list_tables(dataset, timeout=SECONDS)} - set(
                tables
            )
        if MADE_BY.items() <= (shown.labels or {}).items() and not others:
            found.append(dataset)
    return found


def drop_tables(client: "bigquery.Client", tables: Sequence[str]) -> None:
    for table in tables:
        with _asking(table):
            client.delete_table(table, timeout=SECONDS, retry=BRIEF_RETRY, not_found_ok=True)


def drop_datasets(client: "bigquery.Client", datasets: Sequence[str]) -> None:
    """Without what is in them: one that somebody put a table into meanwhile stays, with an error."""
    for dataset in datasets:
        with _asking(dataset):
            client.delete_dataset(dataset, delete_contents=False, timeout=SECONDS, retry=BRIEF_RETRY, not_found_ok=True)


def _is_there(client: "bigquery.Client", table: str) -> bool:
    with _asking(table):
        try:
            client.get_table(table, timeout=SECONDS, retry=BRIEF_RETRY)
        except exceptions.NotFound:
            return False
    return True


def _asking(what: str) -> AbstractContextManager[None]:
    grant = f"grant roles/bigquery.dataOwner on {what} to this identity"
    return asking(f"BigQuery's {what}", missing="look whether it is there", refused=grant)
