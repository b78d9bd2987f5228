"""Histories as the judge reads them, made by hand: one in which every promise is kept, and what breaks it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.faults.checker.history import Change, Heard, History, Job, Message, Request, SheetVersion, Start

RUN = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
TABLE = "project.faults.sales"
ROWS = [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]
OLD = [{"id": "1", "text": "old"}, {"id": "2", "text": "old"}]


def at(second: float) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def row(run_id: str = RUN, **values: Any) -> dict[str, Any]:
    return {
        "id": run_id,
        "config_id": 7,
        "destination": TABLE,
        "slot": at(100),
        "why": "manual",
        "state": "pending",
        "attempt": 0,
        "failures": 0,
        "reads_reserved": 4,
        "admitted_at": None,
        "created_at": at(100),
        "ended_at": None,
    } | values


def life(run_id: str = RUN, begin: float = 100, **values: Any) -> list[Change]:
    """A run from its record to its success, a second each, its load done at `begin` + 4."""
    states = [("pending", 0), ("queued", 0), ("launching", 1), ("running", 1), ("succeeded", 1)]
    changes = []
    for number, (state, attempt) in enumerate(states):
        told = {"state": state, "attempt": attempt, "slot": at(begin), "created_at": at(begin)}
        told |= {"ended_at": at(begin + 5), "verdict": "loaded"} if state == "succeeded" else {}
        told |= {"admitted_at": at(begin + 1)} if number else {}
        seq = int(begin * 10) + number
        changes.append(Change(seq, begin + number + (number == 4), "run", "", row(run_id, **told, **values)))
    return changes


def load(run_id: str = RUN, begin: float = 100, attempt: int = 1, **values: Any) -> Job:
    labels = {"run": run_id, "attempt": str(attempt), "execution": "job-abcde", "verdict": "loaded"}
    job = Job(f"sheet_to_bigquery_{run_id}_{attempt}", "US", "LOAD", labels, begin + 3, begin + 4, content=ROWS)
    return replace(job, table=TABLE, rows=2, **values)


def failure(run_id: str, begin: float, **values: Any) -> list[Change]:
    """A run that failed for good a second after its record; of no table of interest."""
    ended = {"state": "failed", "attempt": 1, "ended_at": at(begin + 1), "permanent": True}
    common = {"destination": f"x{begin}", "created_at": at(begin), "slot": at(begin)} | values
    seq = int(begin * 10)
    return [
        Change(seq, begin, "run", "", row(run_id, **common)),
        Change(seq + 1, begin + 1, "run", "", row(run_id, **ended | common), transaction=seq),
    ]


def config(seq: int, when: float, last_run: float | None, by: str = "", **values: Any) -> Change:
    told = {"id": 7, "last_run": at(last_run) if last_run else None, "is_active": True}
    return Change(seq, when, "config", by, told | values)


def kept() -> History:
    """One run by hand that went as it should."""
    return History(
        changes=[*life(), config(990, 90, None, "person"), config(1005, 105, 100)],
        jobs=[load()],
        starts=[Start(102.5, RUN, 1, 200, 0, "job-abcde")],
        messages=[
            Message("requests", "1", b'{"config_id": 7}', acked=True),
            Message("requests", "2", b"{", acked=True),
        ],
        requests=[Request("1", 7, 99), Request("2", None, 99)],
        heard=[Heard("1", "accepted", None, RUN), Heard("2", "poison", "it is not JSON", None)],
        sheets=[SheetVersion("sales", 50, None, ROWS)],
        tables={TABLE: ROWS},
        sources={TABLE: "sales"},
        texts={"launch.log": "launched"},
        secrets={"s3cret": "a cell"},
        channels=("webhook",),
        max_running=1,
        reads_per_minute=4,
    )
