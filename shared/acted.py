"""What a person did at the console or at a terminal, as the ledger keeps it. No cell values."""

from datetime import datetime
from typing import Any, Literal

import msgspec

ActionName = Literal[
    "run", "retry", "cancel", "pause", "resume", "frequency", "edit", "plan", "add", "promote", "rollback"
]


class Acted(msgspec.Struct, frozen=True):
    """One action. `id` is made of the console's form that asked for it; `acted_at` is aware, in UTC.

    `config_id` is None for a plan of a candidate; `run_id` is the run that was cancelled, or asked for again.
    `details`, by action: the `asked_run_id` of what came of it (run, retry), the `state` of the run after it (cancel),
    the `reason` given (pause, promote, rollback), the hours `before` and `after` (frequency), the columns that were
    `changed`, each with its value `before` and `after` (edit), the `plan_id` (plan, add, and an edit that was planned),
    the owners `before` and `after` (promote, rollback).
    """

    id: str
    acted_at: datetime
    acted_by: str
    action: ActionName
    config_id: int | None = None
    config_name: str | None = None
    run_id: str | None = None
    details: dict[str, Any] = {}
