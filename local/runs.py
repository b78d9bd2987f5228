"""Configs and their runs, as a person would look at them in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.clients import LocalClients

ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class RunSeen:
    """A run as the ledger shows it at one moment. `seconds` since it was recorded, until it ended."""

    id: str
    config_id: int
    state: str
    attempt: int
    seconds: float
    rows: int | None
    execution: str | None
    error: str | None
    slot: datetime

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def look_at_runs(clients: LocalClients, config_ids: Sequence[int]) -> list[RunSeen]:
    """All runs of these configs, oldest first."""
    rows = clients.postgres.run(
        """
        SELECT id::text, config_id, state, attempt,
               extract(epoch FROM coalesce(ended_at, clock_timestamp()) - coalesce(claimed_at, created_at))::float8,
               rows, execution, error, slot
        FROM sheet_to_bigquery_runs
        WHERE config_id = ANY(:config_ids)
        ORDER BY created_at, config_name
        """,
        config_ids=list(config_ids),
    )
    return [RunSeen(*row) for row in rows]


def look_at_last_runs(clients: LocalClients, config_ids: Sequence[int]) -> dict[int, Any]:
    """Each config's `last_run`."""
    statement = "SELECT id, last_run FROM sheet_to_bigquery_configs WHERE id = ANY(:config_ids)"
    return dict(clients.postgres.run(statement, config_ids=list(config_ids)))
