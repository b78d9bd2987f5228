"""The ledger's queries of forwards: who owns what a message of the portal's replaces, decided and noted at once."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from shared.errors import TableConflict, UnknownConfig
from shared.ledger import forward_statements, statements
from shared.ledger.config_queries import ConfigQueries
from shared.portal import PortalMessage, place_of

# A forward begins with a token and a connection, ten seconds each at most: it is open for this longer than the older
# service's request goes on.
_SECONDS_AROUND = 30


class Forward(msgspec.Struct, frozen=True):
    """What is to become of a message, and for whom (`config 7 "sales"`).

    `forward`: it is the older service's, and noted as handed over, for the `attempt`-th time. `job`: it is the job's.
    `forwarded_before`, `recorded_before`: it was acted on. `busy`, `unanswered`: not now, for the `reason` given.
    `wants_shadow`: the job is to load the config beside the older service once that has loaded it.
    """

    verdict: Literal["forward", "job", "forwarded_before", "recorded_before", "busy", "unanswered"]
    subject: str
    config_id: int | None = None
    attempt: int = 0
    reason: str = ""
    wants_shadow: bool = False


class _Owner(msgspec.Struct, frozen=True):
    """The config that a message names, as it stands: None and nobody's where Postgres knows none of it."""

    row: dict[str, Any] | None
    is_job: bool

    @property
    def config_id(self) -> int | None:
        return self.row["id"] if self.row else None

    @property
    def is_shadowed(self) -> bool:
        return self.row is not None and bool(self.row["is_active"]) and self.row.get("migration_status") == "shadow"

    @property
    def subject(self) -> str:
        return f'config {self.row["id"]} "{self.row["name"]}"' if self.row else "a config that is not in Postgres"


class _Standing(msgspec.Struct, frozen=True, array_like=True):
    """What `JUDGE` tells of a message."""

    status: int | None
    is_open: bool | None
    ended_at: datetime | None
    is_recorded: bool
    run: str | None
    message: str | None
    rival: str | None
    has_shadow: bool


class ForwardQueries(ConfigQueries):
    """Messages that are handed to the older service, which looks at no database and so cannot be asked."""

    def begin_forward(self, message_id: str, wanted: PortalMessage, service_seconds: int) -> Forward:
        """Decides who acts on the message, and, where it is the older service, notes that it is handed over now.

        Open for as long as the service may take, so that no run of the job's begins meanwhile. Raises `UnknownConfig`,
        `AmbiguousName`, and `TableConflict` where the message's table is the job's.
        """
        with self._transaction():
            # The row before the lock that all claims wait for: somebody may hold it for long.
            owner = self._owner(wanted)
            self._run(statements.LOCK_ADMISSION)
            place = wanted.place or place_of(owner.row or {})
            if place is None:
                raise UnknownConfig(f"{owner.subject}: neither it nor the message names a table", "send it whole")
            project, dataset, name = place
            table = ".".join(place)
            asked = {"message_id": message_id, "config_id": owner.config_id, "destination": table}
            [facts] = self._run(forward_statements.JUDGE, **asked, project=project, dataset=dataset, name=name)
            found = _judge(owner, msgspec.convert(facts, _Standing), table)
            if found.verdict == "forward":
                seconds = service_seconds + _SECONDS_AROUND
                ((attempt,),) = self._run(forward_statements.BEGIN_FORWARD, **asked, seconds=seconds)
                found = msgspec.structs.replace(found, attempt=attempt)
        return found

    def end_forward(self, message_id: str, attempt: int, status: int) -> None:
        """The older service answered with this status, and is done."""
        self._run(forward_statements.END_FORWARD, message_id=message_id, attempt=attempt, status=status)

    def withdraw_forward(self, message_id: str, attempt: int) -> None:
        """The older service was not reached: the message waits nowhere, and the table for nobody."""
        self._run(forward_statements.WITHDRAW_FORWARD, message_id=message_id, attempt=attempt)

    def has_forwarded(self) -> bool:
        """Whether any of the portal's messages that are remembered went to the service through forward."""
        return bool(self._run(forward_statements.HAS_FORWARDED)[0][0])

    def _owner(self, wanted: PortalMessage) -> _Owner:
        """Who owns the config, held as it is. Raises `UnknownConfig` where the older service cannot know it either."""
        try:
            config_id = self.find_config(wanted.request)["id"]
        except UnknownConfig:
            # The portal may have deleted the row since, or never told Postgres: the service loads what it is told.
            if wanted.place is None or not self._run(forward_statements.HAS_OWNERS)[0][0]:
                raise
            return _Owner(None, is_job=False)
        for row, is_job in self._run(forward_statements.HOLD_CONFIG, config_id=config_id):
            return _Owner(row, is_job)
        raise UnknownConfig(f"config {config_id} is gone", "`job_helper.py configs` lists those there are")


def _judge(owner: _Owner, found: _Standing, table: str) -> Forward:
    subject, config_id = owner.subject, owner.config_id
    if found.status is not None and 200 <= found.status < 300:
        return Forward("forwarded_before", subject, config_id, wants_shadow=owner.is_shadowed and not found.has_shadow)
    if found.is_open:
        return Forward("unanswered", subject, config_id, reason="the message may be at the older service still")
    if found.is_recorded:
        return Forward("recorded_before", subject, config_id)
    if owner.is_job:
        return Forward("job", subject, config_id)
    if found.rival:
        raise TableConflict(
            f"{subject}: the message is for {table}, which the job replaces for config {found.rival}",
            "give one of them another table, or roll that one back to the older service",
        )
    if reason := found.run or found.message:
        return Forward("busy", subject, config_id, reason=reason)
    return Forward("forward", subject, config_id, wants_shadow=owner.is_shadowed)
