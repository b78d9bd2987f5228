"""What happened during a migration, as its judge reads it: facts that others than the product kept.

PostgreSQL's triggers kept the changes of rows, BigQuery its jobs, the older service its log, and the witness what it
saw in the tables. Times are seconds since 1970, all of one machine's clock.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

FLYING = ("launching", "running")

# Rows without their header, each value as a text that is the same whatever the column's type.
Rows = Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Change:
    """A row as it was from then on; `kind` is config, run or forward. `seq` orders those that waited for one another,
    and `transaction` is PostgreSQL's number."""

    seq: int
    at: float
    kind: str
    row: Mapping[str, Any]
    transaction: int = 0


@dataclass(frozen=True)
class Write:
    """A BigQuery job that is done without an error and that wrote a table, as BigQuery keeps it."""

    job_id: str
    table: str
    began: float
    ended: float
    labels: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None


@dataclass(frozen=True)
class Edition:
    """What a table's sheet held, between two instants; None ends never."""

    table: str
    began: float
    ended: float | None
    rows: Rows


@dataclass(frozen=True)
class Edit:
    """What somebody's own statement made of a table, on purpose."""

    job_id: str
    rows: Rows


@dataclass(frozen=True)
class Sample:
    """What a table held at some instant between two; None where it was not there."""

    table: str
    asked: float
    answered: float
    rows: Rows | None


@dataclass(frozen=True)
class Served:
    """What the older service answered to a message, once."""

    message_id: str
    status: int


@dataclass(frozen=True)
class Audited:
    """A change of owner as the product's own audit has it."""

    config_id: int
    by: str
    before: str
    after: str


@dataclass
class History:
    """All that is known. `tables` are the configs' own, by their ids, `shadows` those that stand beside them;
    `published` are the ids of the messages that the portal published, and `recorded` of those that the job took."""

    tables: dict[int, str] = field(default_factory=dict)
    shadows: dict[int, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    editions: list[Edition] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)
    audited: list[Audited] = field(default_factory=list)


@dataclass(frozen=True)
class Attempt:
    """A table in somebody's hands: `who` is service or job, `what` the message or the run."""

    who: str
    what: str
    table: str
    config_id: int | None
    first: Change
    ended: float

    @property
    def began(self) -> float:
        return self.first.at

    @property
    def label(self) -> str:
        return f"{'message' if self.who == 'service' else 'run'} {self.what}"


class Facts:
    """What follows from a history, each computed once."""

    def __init__(self, history: History) -> None:
        self._ordered = sorted(history.changes, key=lambda change: change.seq)

    def of(self, kind: str) -> list[Change]:
        return [change for change in self._ordered if change.kind == kind]

    @cached_property
    def attempts(self) -> dict[str, list[Attempt]]:
        """By table, the shadows' too: from a claim until its run is in flight no more, and from a message's handing
        over until the older service's answer, or until it must have given up."""
        found: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in (*self._runs(), *self._forwards()):
            found[attempt.table].append(attempt)
        return {table: sorted(attempts, key=lambda each: each.began) for table, attempts in found.items()}

    def marks(self, config_id: int | None) -> list[tuple[Change, str]]:
        """Each change of the config's row, and the owner by it. A row that never had a mark is the service's, as the
        tracking begins with that; one that has it no more is the job's, as with any config when the tracking is over.
        """
        found: list[tuple[Change, str]] = []
        unmarked = "service"
        for change in self.of("config"):
            if change.row["id"] != config_id:
                continue
            if "migration_status" in change.row:
                unmarked = "job_ready"
                found.append((change, str(change.row["migration_status"] or "service")))
            else:
                found.append((change, unmarked))
        return found

    def mark(self, config_id: int | None, seq: int) -> str:
        """A config's owner as it was marked before a change."""
        marks = [mark for change, mark in self.marks(config_id) if change.seq < seq]
        return marks[-1] if marks else "service"

    def _runs(self) -> Iterator[Attempt]:
        open_runs: dict[str, Change] = {}
        for change in self.of("run"):
            run_id, is_flying = str(change.row["id"]), change.row["state"] in FLYING
            if is_flying and run_id not in open_runs:
                open_runs[run_id] = change
            elif not is_flying and run_id in open_runs:
                yield self._run(open_runs.pop(run_id), change.at)
        for first in open_runs.values():
            yield self._run(first, float("inf"))

    def _run(self, first: Change, ended: float) -> Attempt:
        row = first.row
        return Attempt("job", str(row["id"]), row["destination"], row["config_id"], first, ended)

    def _forwards(self) -> Iterator[Attempt]:
        """Each handing over of each message, which ends with the first change after it: it was answered or withdrawn,
        or is handed over again."""
        open_forwards: dict[str, Change] = {}
        begun: set[tuple[str, int]] = set()
        for change in self.of("forward"):
            message_id, attempt = str(change.row["message_id"]), int(change.row["attempts"])
            if message_id in open_forwards:
                yield self._forward(open_forwards.pop(message_id), change.at)
            if (message_id, attempt) not in begun:
                begun.add((message_id, attempt))
                open_forwards[message_id] = change
        for first in open_forwards.values():
            yield self._forward(first, float("inf"))

    def _forward(self, first: Change, ended: float) -> Attempt:
        row = first.row
        given_up = instant(row["open_until"])
        return Attempt(
            "service", str(row["message_id"]), row["destination"], row["config_id"], first, min(ended, given_up)
        )


def instant(text: Any) -> float:
    """A moment as PostgreSQL's JSON has it."""
    return datetime.fromisoformat(str(text)).timestamp()


def canonical(values: Sequence[Any]) -> tuple[str, ...]:
    """A row whatever types its columns have: 7.50 is 7.5, TRUE is true, and nothing is the empty text."""
    return tuple(_canonical(value) for value in values)


def _canonical(value: Any) -> str:
    text = "" if value is None else str(value)
    try:
        return repr(float(text))
    except ValueError:
        return text.casefold()
