"""Every check of the judge can fail: a history in which one promise is broken is judged so."""

import ast
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker.history import Change, Heard, History, Job, Message, Request, SheetVersion, Start
from tests.faults.checker.judge import CHECKS, judge

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
    } | values


def life(run_id: str = RUN, begin: float = 100, **values: Any) -> list[Change]:
    """A run from its record to its success, a second each, its load done at `begin` + 4."""
    states = [("pending", 0), ("queued", 0), ("launching", 1), ("running", 1), ("succeeded", 1)]
    changes = []
    for number, (state, attempt) in enumerate(states):
        told = {"state": state, "attempt": attempt, "slot": at(begin)}
        told |= {"admitted_at": at(begin + 1)} if number else {}
        seq = int(begin * 10) + number
        changes.append(Change(seq, begin + number + (number == 4), "run", "", row(run_id, **told, **values)))
    return changes


def load(run_id: str = RUN, begin: float = 100, attempt: int = 1, **values: Any) -> Job:
    labels = {"run": run_id, "attempt": str(attempt), "execution": "job-abcde", "verdict": "loaded"}
    job = Job(f"sheet_to_bigquery_{run_id}_{attempt}", "US", "LOAD", labels, begin + 3, begin + 4, content=ROWS)
    return replace(job, table=TABLE, rows=2, **values)


def config(seq: int, when: float, last_run: float | None, by: str = "") -> Change:
    return Change(seq, when, "config", by, {"id": 7, "last_run": at(last_run) if last_run else None})


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
        max_running=1,
        reads_per_minute=4,
    )


def test_a_history_without_faults_breaks_no_promise() -> None:
    assert judge(kept()) == []


def ended_twice(history: History) -> None:
    history.changes.append(Change(2000, 200, "run", "", row(state="failed", attempt=1)))


def never_ended(history: History) -> None:
    history.changes.append(Change(2000, 200, "run", "", row(OTHER, state="queued", config_id=8, destination="x")))


def two_active(history: History) -> None:
    history.changes += life(OTHER, 100.2, destination="another")
    history.requests.append(Request("3", 7, 100))


def two_open(history: History) -> None:
    """The second attempt begins before a job closes the first."""
    again = [("pending", 1, 102.6), ("queued", 1, 102.7), ("launching", 2, 102.8)]
    for number, (state, attempt, when) in enumerate(again):
        history.changes.insert(3, Change(1100 + number, when, "run", "", row(state=state, attempt=attempt)))


def two_locations(history: History) -> None:
    history.jobs.append(load(location="EU"))


def load_forgotten(history: History) -> None:
    history.changes = [change for change in history.changes if change.row.get("state") != "succeeded"]
    history.changes.append(Change(2000, 200, "run", "", row(state="failed", attempt=1)))


def success_without_load(history: History) -> None:
    history.jobs = [load(error="invalid")]
    history.tables = {}


def mixed_reading(history: History) -> None:
    history.sheets.append(SheetVersion("sales", 40, 50, OLD))
    history.jobs = [load(content=[ROWS[0], OLD[1]])]


def partial_reading(history: History) -> None:
    history.jobs = [replace(load(), content=ROWS[:1])]


def stale_reading(history: History) -> None:
    """The load is a version that was gone before the attempt began."""
    history.sheets = [SheetVersion("sales", 50, 60, ROWS), SheetVersion("sales", 60, None, OLD)]


def emptied(history: History) -> None:
    history.sheets.append(SheetVersion("sales", 90, None, []))
    history.jobs = [replace(load(), content=[])]


def changed_behind(history: History) -> None:
    history.tables[TABLE] = OLD


def appended_twice(history: History) -> None:
    history.modes[TABLE] = "append"
    history.tables[TABLE] = ROWS + ROWS


def merged_in_part(history: History) -> None:
    history.modes[TABLE] = "merge"
    history.jobs.append(replace(load(OTHER, 200), type="QUERY", content=OLD))
    history.tables[TABLE] = [OLD[0], ROWS[1]]


def unchanged_on_hearsay(history: History) -> None:
    """The sheet was edited before the attempt that says that nothing has changed."""
    history.sheets = [SheetVersion("sales", 50, 150, ROWS), SheetVersion("sales", 150, None, OLD)]
    said = load(OTHER, 200)
    history.changes += life(OTHER, 200)
    history.jobs.append(replace(said, labels={**said.labels, "verdict": "unchanged"}, type="QUERY", content=None))


def older_slot(history: History) -> None:
    history.changes += life(OTHER, 200)
    history.changes[-1].row["slot"] = at(60)
    history.jobs.append(load(OTHER, 200))
    history.requests.append(Request("3", 7, 150))


def last_run_back(history: History) -> None:
    history.changes.append(config(3000, 300, 80))


def null_overwritten(history: History) -> None:
    """A person nulls it while the run goes on that was claimed before."""
    history.changes += [config(985, 85, 80, "person"), config(1003, 103, None, "person")]
    history.changes = [change for change in history.changes if change.seq != 990]


def last_run_before_load(history: History) -> None:
    history.changes = [*life(), config(1003, 103, 100)]


def never_acked(history: History) -> None:
    history.messages.append(Message("requests", "3", b"{}", nacked=True))


def request_lost(history: History) -> None:
    history.heard = history.heard[1:]


def request_merged_into_a_run_that_had_begun(history: History) -> None:
    history.requests[0] = Request("1", 7, 103)


def one_request_two_runs(history: History) -> None:
    history.changes += life(OTHER, 200)
    history.jobs.append(load(OTHER, 200))


def poison_forgotten(history: History) -> None:
    history.heard = history.heard[:1]


def unclaimed_start(history: History) -> None:
    history.starts.append(Start(150, RUN, 2, 200, 1, "job-fghij"))


def over_the_cap(history: History) -> None:
    history.changes.append(Change(1002, 102, "run", "", row(OTHER, state="queued", config_id=8, destination="x")))
    history.changes.append(Change(1010, 110, "run", "", row(OTHER, state="failed", config_id=8, destination="x")))


def over_the_quota(history: History) -> None:
    other = row(OTHER, state="queued", config_id=8, destination="x", admitted_at=at(130))
    history.changes += [Change(1300, 130, "run", "", other), Change(1301, 131, "run", "", {**other, "state": "failed"})]


def started_twice(history: History) -> None:
    history.starts.append(Start(103, RUN, 1, 200, 1, "job-fghij"))


def retried_without_end(history: History) -> None:
    history.changes[4] = replace(history.changes[4], row={**history.changes[4].row, "failures": 6})


def leaked(history: History) -> None:
    history.texts["job.log"] = "read s3cret"


BROKEN: dict[str, tuple[Callable[[History], None], ...]] = {
    "every_run_ends_in_one_terminal_state": (ended_twice, never_ended),
    "one_run_is_active_per_config_and_table": (two_active,),
    "one_attempt_is_open_per_table": (two_open,),
    "an_attempt_has_one_job": (two_locations,),
    "a_load_that_is_done_ends_as_succeeded": (load_forgotten,),
    "a_success_has_its_load": (success_without_load,),
    "a_load_is_one_complete_reading": (mixed_reading, partial_reading, stale_reading, emptied),
    "what_is_unchanged_is_there": (unchanged_on_hearsay,),
    "a_table_holds_what_was_loaded": (changed_behind, appended_twice, merged_in_part),
    "slots_of_a_table_never_go_backwards": (older_slot,),
    "last_run_never_goes_backwards": (last_run_back,),
    "a_persons_null_stays": (null_overwritten,),
    "last_run_stands_for_a_load_that_is_done": (last_run_before_load,),
    "every_message_that_came_was_acked": (never_acked,),
    "a_request_by_hand_has_its_run": (request_lost, request_merged_into_a_run_that_had_begun),
    "requests_make_no_run_twice": (one_request_two_runs,),
    "poison_is_kept_with_its_reason": (poison_forgotten,),
    "no_run_is_launched_that_was_not_asked_for": (unclaimed_start,),
    "admitted_runs_never_exceed_the_cap": (over_the_cap,),
    "reserved_reads_never_exceed_the_quota": (over_the_quota,),
    "an_attempt_is_started_once": (started_twice,),
    "a_run_fails_only_so_often": (retried_without_end,),
    "nothing_secret_is_written": (leaked,),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_broken_promise_is_seen(check: Any) -> None:
    for breaks in BROKEN[check.__name__]:
        history = kept()
        assert list(check(history)) == []
        breaks(history)
        assert list(check(history)), breaks.__name__


def test_the_judge_imports_nothing_of_the_product() -> None:
    for path in Path(__file__).with_name("checker").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.partition(".")[0] not in ("shared", "job", "functions", "commands", "sql", "main"), path
