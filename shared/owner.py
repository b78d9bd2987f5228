"""Who owns configs' tables, while a team moves from the older service to the job, and who changed that."""

from datetime import datetime
from typing import Literal

import msgspec

# A config's `migration_status`; NULL is `service`. `shadow`: the service owns the table, and the job loads beside it.
Owner = Literal["service", "shadow", "job_ready"]
# What may go back to the service.
TAKEN_FROM_SERVICE: tuple[Owner, ...] = ("shadow", "job_ready")


class Tracking(msgspec.Struct, frozen=True):
    """Whether `migrate.py start` has been here: the ledger's tables, the column, and the trigger that watches it."""

    ledger: bool
    column: bool
    trigger: bool

    @property
    def started(self) -> bool:
        return self.ledger and self.column and self.trigger


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """A config with the owner of its table, and what stands between it and another one. Instants are None where there
    was no such thing.

    `open_run` is the id of the run in flight, of the kind `open_why`. `forward_until`: until then the older service may
    be at work on a message of this config, or on its table. `shadow_at` and `job_at` are the ends of the newest run of
    each kind. `verdict` is the newest comparison's since the owner changed last.
    """

    id: int
    name: str
    table: str
    owner: Owner
    active: bool
    open_run: str | None = None
    open_why: str | None = None
    forward_until: datetime | None = None
    service_at: datetime | None = None
    service_status: int | None = None
    shadow_at: datetime | None = None
    shadow_state: str | None = None
    job_at: datetime | None = None
    job_state: str | None = None
    verdict: str | None = None
    compared_at: datetime | None = None

    @property
    def label(self) -> str:
        return f'config {self.id} "{self.name}"'


class OwnerChange(msgspec.Struct, frozen=True):
    """One line of the audit: `before` and `after` are owners, or, of a table of the job's, `parity` (the older
    service's shape) and `types`. Of no config: `untracked` and `tracked`, where `migrate.py` began or ended it."""

    changed_at: datetime
    config_id: int | None
    config_name: str
    before: str
    after: str
    changed_by: str
    reason: str | None
