"""What happened, as the judge reads it: facts that PostgreSQL, the services and the hops kept, none of the product's.

Times are seconds since 1970, all of one machine's clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ACTIVE = ("queued", "launching", "running")
ENDED = ("succeeded", "failed", "cancelled")
# What an attempt's job says that is a success.
DONE = ("loaded", "unchanged", "kept")
# Of one job id: what the product documents.
JOB_PREFIX = "sheet_to_bigquery_"


# Rows as texts by their columns' short names: what is under which header counts, not where.
Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Change:
    """A run's or a config's row as it was from then on; `seq` orders the changes that wait for one another.

    `run gone` and `message gone` are rows that were deleted. `transaction` is PostgreSQL's number.
    """

    seq: int
    at: float
    kind: str
    by: str
    row: Mapping[str, Any]
    transaction: int = 0


@dataclass(frozen=True)
class Job:
    """A BigQuery job as BigQuery keeps it; `content` are the rows that its upload had, None where it had none."""

    job_id: str
    location: str
    type: str
    labels: Mapping[str, str]
    created: float
    ended: float | None
    error: str | None = None
    table: str | None = None
    rows: int | None = None
    content: Rows | None = None

    @property
    def is_done(self) -> bool:
        return self.ended is not None

    @property
    def says(self) -> str | None:
        """What an attempt's one job says by being done: `loaded`, `unchanged`, `kept` or `burned`.

        None for a job that failed or goes on, and for what is nobody's attempt's: a stranger's, a merge's staging.
        """
        is_own = self.job_id == f"{JOB_PREFIX}{self.labels.get('run')}_{self.labels.get('attempt')}"
        return self.labels.get("verdict") if is_own and self.is_done and self.error is None else None

    @property
    def loaded(self) -> bool:
        return self.says == "loaded"


@dataclass(frozen=True)
class Start:
    """RunJob as it reached Cloud Run; `status` is Cloud Run's answer, whoever heard it, `call` the caller's call.

    A network that repeats a call makes two starts of it.
    """

    at: float
    run_id: str
    attempt: int
    status: int
    call: int
    execution: str | None = None


@dataclass(frozen=True)
class Message:
    """A message that was published; `acked` says whether a function took it, `nacked` that one refused it the last
    time that it came, `swallowed` that the network ate it, `given_up` that it lies among the dead letters.

    One that is none of these waits in Pub/Sub: the emulator takes minutes to come again after a broken connection.
    """

    topic: str
    message_id: str
    data: bytes
    acked: bool = False
    nacked: bool = False
    swallowed: bool = False
    given_up: bool = False


@dataclass(frozen=True)
class Request:
    """A message by hand: for which config, or poison where that is None; sent at some time."""

    message_id: str
    config_id: int | None
    at: float


@dataclass(frozen=True)
class Heard:
    """What the product keeps of a message that was not a run's."""

    message_id: str
    verdict: str
    reason: str | None
    run_id: str | None
    at: float | None = None


@dataclass(frozen=True)
class Telling:
    """What people were told of a run by a channel; `heard` says whether the sender got its answer."""

    at: float
    channel: str
    run_id: str
    kind: str
    heard: bool


@dataclass(frozen=True)
class SheetVersion:
    """A spreadsheet's rows below the header, between two instants; None ends never."""

    spreadsheet: str
    began: float
    ended: float | None
    rows: Rows


@dataclass
class History:
    """Everything that happened, and the settings that bound it."""

    changes: list[Change] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    sheets: list[SheetVersion] = field(default_factory=list)
    # What each table holds at the end, by `project.dataset.table`.
    tables: dict[str, Rows] = field(default_factory=dict)
    # Which spreadsheet fills a table.
    sources: dict[str, str] = field(default_factory=dict)
    # How a table is loaded where that is not by replacing it: `append`, or `merge` by the column `id`.
    modes: dict[str, str] = field(default_factory=dict)
    # Texts that the product wrote, by name; and what none of them may have.
    texts: dict[str, str | Path] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    # By which channels people are told, and what they were told.
    channels: Sequence[str] = ()
    told: list[Telling] = field(default_factory=list)
    # From when to when processes were killed, or the database could not be spoken to.
    troubles: list[tuple[float, float]] = field(default_factory=list)
    # So many permanent failures in a row pause a config (0: never); so many days what ended is kept.
    pause_after: int = 0
    kept_days: int = 90
    max_running: int = 100
    reads_per_minute: int = 60
    max_attempts: int = 5


class Facts:
    """A history, put together by run, by job and by table."""

    def __init__(self, history: History) -> None:
        # The changes of each run, in order; runs that a person wrote are none of the product's.
        self.runs: dict[str, list[Change]] = {}
        # Those of all runs, and of all configs, in order.
        self.run_changes: list[Change] = []
        self.config_changes: list[Change] = []
        # Those of all runs, whoever wrote them.
        self.told_changes: list[Change] = []
        # Changes by which the product paused a config.
        self.pauses: list[Change] = []
        self._configs: dict[Any, Mapping[str, Any]] = {}
        written: set[str] = set()
        for change in sorted(history.changes, key=lambda each: each.seq):
            if change.kind == "config":
                self._add_config_change(change)
            if change.kind != "run":
                continue
            run_id = str(change.row["id"])
            self.told_changes.append(change)
            if run_id in written or (run_id not in self.runs and change.by == "person"):
                written.add(run_id)
                continue
            self.runs.setdefault(run_id, []).append(change)
            self.run_changes.append(change)
        self._jobs = {job.job_id: job for job in history.jobs}
        # Each table's loads in the order of their ends.
        self.loads: dict[str, list[Job]] = {}
        for job in sorted((job for job in history.jobs if job.loaded), key=lambda job: job.ended or 0):
            self.loads.setdefault(self.table_of(job) or "", []).append(job)

    def _add_config_change(self, change: Change) -> None:
        before = self._configs.get(change.row["id"], {})
        self._configs[change.row["id"]] = change.row
        self.config_changes.append(change)
        if change.by != "person" and before.get("is_active") and not change.row.get("is_active"):
            self.pauses.append(change)

    def table_of(self, job: Job) -> str | None:
        """The table that an attempt's job is about; of a MERGE only its run tells."""
        changes = self.runs.get(job.labels.get("run", ""))
        return job.table or (changes[-1].row["destination"] if changes else None)

    def job_of(self, run_id: str, attempt: int) -> Job | None:
        """The job under an attempt's id, in whichever location."""
        return self._jobs.get(f"{JOB_PREFIX}{run_id}_{attempt}")

    def claimed(self, job: Job) -> float:
        """When the job's attempt was claimed; 0 where it never was."""
        claims = [
            change.at
            for change in self.runs.get(job.labels["run"], ())
            if change.row["state"] == "launching" and str(change.row["attempt"]) == job.labels["attempt"]
        ]
        return min(claims, default=0.0)


@dataclass(frozen=True)
class Violation:
    """A broken promise: which one, and how."""

    invariant: str
    told: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.told}"
