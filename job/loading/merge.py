"""A merge: rows are staged in a table of their own, and one MERGE brings them into the destination."""

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from google.api_core import exceptions

from job.loading.attempt import Attempt
from job.loading.decision import Decision
from job.loading.files import LoadFile
from job.loading.load_config import lay, schema_fields
from job.loading.patience import SECONDS, retry
from shared.failpoints import failpoint
from shared.identifier import identifier

if TYPE_CHECKING:
    from google.cloud import bigquery

# A staging table goes by itself: after a day nobody waits for its MERGE.
_KEPT = timedelta(days=1)
_MERGE = """
MERGE {target} T USING {source} S ON {matched}
{update}
WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})
"""


class Merge:
    """One attempt's merge into `destination`, which has to be made first where it is not there."""

    def __init__(
        self, attempt: Attempt, destination: "bigquery.TableReference", is_there: bool, decision: Decision
    ) -> None:
        from google.cloud import bigquery

        self._attempt = attempt
        self._destination = destination
        self._is_there = is_there
        self._decision = decision
        dataset = bigquery.DatasetReference(destination.project, destination.dataset_id)
        # Named by run and attempt.
        self._staging = dataset.table(f"_staging_{attempt.slot.job_id}")

    def run(self, file: LoadFile, labels: dict[str, str], now: datetime) -> Any:
        """The done MERGE. Rows whose key is there are updated, the others inserted; what the sheet lacks stays.

        Another execution of the attempt may have staged other rows first: then it is those that are merged, whole,
        and the MERGE tells so by the labels that they were staged with.
        """
        staged = self._stage(file, labels, now)
        failpoint("job.after_stage")
        self._prepare()
        names = [field.name for field in staged.schema]
        sql = _statement(self._destination, self._staging, names, [key.name for key in self._decision.keys])
        merged = self._attempt.query(sql, staged.labels)
        with contextlib.suppress(exceptions.GoogleAPIError):  # it expires anyway
            self._attempt.client.delete_table(self._staging, not_found_ok=True, timeout=SECONDS)
        return merged

    def _stage(self, file: LoadFile, labels: dict[str, str], now: datetime) -> Any:
        from google.cloud import bigquery

        schema = schema_fields(self._decision.fitting.uploaded)
        table = bigquery.Table(self._staging, schema=schema)
        table.expires = now + _KEPT
        self._attempt.client.create_table(table, exists_ok=True, retry=retry(), timeout=SECONDS)
        settings = bigquery.LoadJobConfig(
            source_format=file.source_format,
            write_disposition=bigquery.WriteDisposition.WRITE_EMPTY,
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
            schema=schema,
            decimal_target_types=frozenset({bigquery.DecimalTargetType.NUMERIC, bigquery.DecimalTargetType.BIGNUMERIC}),
            labels=labels,
        )
        return self._attempt.load(file, self._staging, settings, self._attempt.slot.staging())

    def _prepare(self) -> None:
        """Makes the destination, or adds the columns that it gets: empty ones, so that no row changes yet."""
        from google.cloud import bigquery

        client, fitting = self._attempt.client, self._decision.fitting
        if not self._is_there:
            table = bigquery.Table(self._destination, schema=schema_fields(fitting.schema))
            lay(table, self._decision.layout)
            client.create_table(table, exists_ok=True, retry=retry(), timeout=SECONDS)
        elif fitting.adds:
            table = client.get_table(self._destination, retry=retry(), timeout=SECONDS)
            there = {field.name.casefold() for field in table.schema}
            added = [field for field in schema_fields(fitting.schema) if field.name.casefold() not in there]
            table.schema = [*table.schema, *added]
            client.update_table(table, ["schema"], retry=retry(), timeout=SECONDS)


def _statement(
    destination: "bigquery.TableReference",
    staging: "bigquery.TableReference",
    names: Sequence[str],
    keys: Sequence[str],
) -> str:
    """Its names are nothing that a query's parameter can hold; there are no values in it."""
    changed = [f"{identifier(name)} = S.{identifier(name)}" for name in names if name not in keys]
    return _MERGE.format(
        target=identifier(str(destination)),
        source=identifier(str(staging)),
        matched=" AND ".join(f"T.{identifier(key)} = S.{identifier(key)}" for key in keys),
        update=f"WHEN MATCHED THEN UPDATE SET {', '.join(changed)}" if changed else "",
        names=", ".join(map(identifier, names)),
        values=", ".join(f"S.{identifier(name)}" for name in names),
    )
