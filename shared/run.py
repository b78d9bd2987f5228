"""A run: one attempt-bearing sync of one config for one slot, as the ledger keeps it."""

import math
import shlex
from datetime import datetime
from typing import Any, Literal

import msgspec

from shared.config import Config, parse_config
from shared.errors import InvalidConfig, NotOurs, SyncError, TableConflict
from shared.loaded import ColumnChange
from shared.messages import RunCompleted
from shared.states import IN_FLIGHT, State

Why = Literal["schedule", "manual", "reset", "shadow"]


def paused(reason: str | None) -> str:
    """That a config is paused, with the reason if one is known."""
    return f"paused ({reason})" if reason else "paused"


def how_to_resume(config_id: int, name: str | None) -> str:
    """What lets a paused config run again; by its id where a shell or the command would read the name otherwise."""
    wanted = str(config_id)
    if name and name.isprintable() and not name.startswith("-") and not (name.isascii() and name.isdigit()):
        wanted = shlex.quote(name)
    return f"`job_helper.py resume {wanted}` (or is_active = true) lets it run again"


class Run(msgspec.Struct, frozen=True):
    """A row of the ledger. Times are aware, in UTC; `bytes` are those uploaded, `seconds` wall time by stage.

    `verdict` of a run that succeeded: `loaded`, or why nothing had to be: `unchanged`, `kept`. `permanent` of one that
    failed: trying again cannot help. `admitted_at` and `claimed_at` are of the newest
    attempt. `sheet_reads` are those of the `requests` that the Sheets quota counts.
    `sheet_modified_at` is when the spreadsheet was edited last, as it was read.
    """

    id: str
    config_id: int
    config_name: str
    destination: str
    slot: datetime
    why: Why
    state: State
    created_at: datetime
    not_before: datetime
    batch: str | None = None
    attempt: int = 0
    failures: int = 0
    admitted_at: datetime | None = None
    claimed_at: datetime | None = None
    job_project: str | None = None
    job_location: str | None = None
    execution: str | None = None
    lease_until: datetime | None = None
    deadline: datetime | None = None
    cancel_requested_at: datetime | None = None
    ended_at: datetime | None = None
    allow_shrink: bool = False
    verdict: str | None = None
    rows: int | None = None
    bytes: int | None = None
    requests: int | None = None
    sheet_reads: int | None = None
    columns: list[dict[str, Any]] | None = None
    schema_changes: list[ColumnChange] | None = None
    content_hash: str | None = None
    sheet_modified_at: datetime | None = None
    warnings: list[str] | None = None
    seconds: dict[str, float] | None = None
    error_class: str | None = None
    error: str | None = None
    remedy: str | None = None
    permanent: bool = False

    @property
    def in_flight(self) -> bool:
        """Whether an attempt is open: an execution may exist, and may still load."""
        return self.state in IN_FLIGHT

    @property
    def took(self) -> float | None:
        """Seconds from the newest attempt's claim to the run's end, to a tenth; its waiting does not count."""
        if self.ended_at is None or self.claimed_at is None:
            return None
        return round((self.ended_at - self.claimed_at).total_seconds(), 1)

    @property
    def loaded_nothing(self) -> bool:
        """Whether the table is as it was, as far as this run goes: each of its attempts is closed, and a load that is
        done under an attempt's id is a success.
        """
        if self.state == "succeeded":
            return self.verdict in ("unchanged", "kept")
        return not self.in_flight

    def seconds_since_due(self, now: datetime) -> float:
        """From the slot, or from the run's record where that came later, to `now`."""
        return round(max((now - max(self.slot, self.created_at)).total_seconds(), 0.0), 1)


class Failure(msgspec.Struct, frozen=True):
    """Why an attempt failed, as the ledger keeps it, and whether trying again can help.

    `remedy` is what to do about it, which the end of `error` says as well.
    """

    error_class: str
    error: str
    retryable: bool
    remedy: str | None = None

    @classmethod
    def of(cls, error: SyncError) -> "Failure":
        return cls(error.name, str(error), error.retryable, error.remedy or None)

    @classmethod
    def told_by(cls, completed: RunCompleted) -> "Failure":
        """What an execution says of its own failure."""
        error_class = completed.error_class or "ExecutionFailed"
        return cls(error_class, completed.error or "", completed.retryable, completed.remedy)


class Closed(msgspec.Struct, frozen=True):
    """What became of a run whose attempt loaded nothing, and whether its config was paused with it."""

    state: State
    paused: bool = False


class LoadedBefore(msgspec.Struct, frozen=True):
    """The attempt of an earlier run that loaded the same table: its BigQuery job is made of both."""

    run_id: str
    attempt: int


class Standing(msgspec.Struct, frozen=True):
    """A run together with its config's row as it is now, and what speaks against running it.

    `owned`: the config's mark lets this run go; a shadow run is of a shadow config. `previous` is the newest run of
    the config that loaded anything into the run's table.
    """

    run: Run
    row: dict[str, Any] | None
    active: bool
    owned: bool
    rival: str | None
    previous: LoadedBefore | None = None

    @property
    def has_last_run(self) -> bool:
        return self.row is not None and self.row.get("last_run") is not None

    def config(self) -> Config:
        """The config to run. Raises `InvalidConfig`, `TableConflict` or `NotOurs` where it must not be run."""
        subject = f'config {self.run.config_id} "{self.run.config_name}"'
        if self.row is None:
            raise NotOurs(f"{subject} is gone", "add it again if that was a mistake")
        if not self.active:
            remedy = how_to_resume(self.run.config_id, self.row.get("name"))
            raise NotOurs(f"{subject} is {paused(self.row.get('paused_reason'))}", remedy)
        if not self.owned:
            mark = "shadow" if self.run.why == "shadow" else "job_ready"
            raise NotOurs(f"{subject} is not owned by the job", f"its migration_status has to be {mark} for that")
        config = parse_config(self.row)
        if self.rival:
            raise TableConflict(
                f"{subject} replaces the same table as config {self.rival}: {config.destination}",
                "give one of them another table, or pause it",
            )
        if config.id is None:
            raise InvalidConfig(f"{subject} has no id")
        return config


class OpenAndEnded(msgspec.Struct, frozen=True):
    """What goes on at one moment: how many runs are in which open state, the first of them, and some that ended."""

    counts: dict[str, int]
    active: list[Run]
    waiting: list[Run]
    ended: list[Run]


class Heard(msgspec.Struct, frozen=True):
    """What became of a request by hand: the run that it led to, or the reason why nobody can act on it."""

    verdict: Literal["accepted", "poison", "retried", "dropped"]
    reason: str | None
    run_id: str | None


class Poison(msgspec.Struct, frozen=True):
    """The messages that nobody could understand: how many, and when and why the newest of them was not."""

    count: int
    newest_at: datetime
    newest_reason: str


class Verdict(msgspec.Struct, frozen=True):
    """What the due rule says of one config at one moment."""

    config_id: int
    name: str
    destination: str
    verdict: str
    why: Why
    slot: datetime | None
    until: datetime | None = None
    rival: str | None = None
    paused_reason: str | None = None

    @property
    def reason(self) -> str:
        """Why the config is not due, as a sentence with what to do about it."""
        match self.verdict:
            case "paused":
                return f"{paused(self.paused_reason)}: {how_to_resume(self.config_id, self.name)}"
            case "not_ours":
                return (
                    "the older service loads its table, since its migration_status is not job_ready:"
                    " `python migrate.py status` tells how far it is"
                )
            case "table_conflict":
                return f"replaces the same table as config {self.rival}: {self.destination}"
            case "open_run":
                return "a run of it is open already"
            case "bad_last_run":
                return "last_run is not a time at which a run can have been: correct it; NULL asks for a run"
            case "bad_frequency":
                return "run_frequency_hours has to be a whole number of hours: 0 (manual only) to 876000"
            case "manual_only":
                return "manual only (run_frequency_hours is 0): `job_helper.py run` runs it, or a message by hand"
            case "not_due":
                return f"not due before {self.until:%Y-%m-%d %H:%M} UTC"
            case _:
                return "due"


class Told(msgspec.Struct, frozen=True):
    """What the due rule says of all configs: how many have which verdict, and the first of those that are not due."""

    counts: dict[str, int]
    skipped: list[Verdict]


class Place(msgspec.Struct, frozen=True):
    """A place among the configs as the index has them that finds the due ones; the default is before all of them."""

    due_from: float = -math.inf
    config_id: int = -(2**63)


class Due(msgspec.Struct, frozen=True):
    """The runs that one statement recorded: how many, the first of their configs, and where to look on, if anywhere."""

    count: int
    named: list[Verdict]
    rest: Place | None = None
