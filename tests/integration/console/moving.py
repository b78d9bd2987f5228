"""A team that moves from the older service, as the console's tests need it."""

from collections.abc import Callable
from typing import Any

from shared.ledger.store import Store

Sql = Callable[..., Any]
Add = Callable[..., Any]


class Moving:
    """A team in the middle of its migration."""

    def __init__(self, sql: Sql, add: Add, store: Store) -> None:
        self.sql = sql
        self._add = add
        self.store = store

    def config(self, owner: str, name: str = "sales", **values: Any) -> int:
        config_id = self._add(name, **values)
        mark = "UPDATE sheet_to_bigquery_configs SET migration_status = :o WHERE id = :id"
        self.sql(mark, o=owner, id=config_id)
        return int(config_id)

    def owner(self, config_id: int) -> str:
        return self.store.list_owned([config_id])[0].owner

    def compared(self, config_id: int, *verdicts: str) -> None:
        for verdict in verdicts:
            self.sql(
                "INSERT INTO sheet_to_bigquery_comparisons (config_id, config_name, compared_at, service_table,"
                " job_table, run_id, service_loaded_at, verdict) VALUES (:id, 'sales', clock_timestamp(), :table, 'j',"
                " gen_random_uuid(), clock_timestamp(), :verdict)",
                id=config_id,
                table=self.store.list_owned([config_id])[0].table,
                verdict=verdict,
            )

    def changes(self) -> list[Any]:
        columns = "before, after, changed_by, reason"
        told = self.sql(
            f"SELECT {columns} FROM sheet_to_bigquery_owner_changes WHERE changed_by LIKE '%@%' ORDER BY id"
        )
        return [tuple(row) for row in told]
