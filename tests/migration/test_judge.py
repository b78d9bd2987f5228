"""Every check of the migration's judge can fail: a history in which one promise is broken is judged so."""

import ast
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.migration.history import Audited, Change, Edit, Edition, History, Sample, Served, Write, canonical
from tests.migration.judge import CHECKS, judge

TABLE, SHADOW = "p.d.sales", "p.d_shadow.sales"
OLD, NEW = [canonical(["a", 1])], [canonical(["a", 2]), canonical(["b", 3])]
RUN, OTHER = "run-1", "run-2"


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def config(seq: int, when: float, mark: str | None, last_run: float | None = None, transaction: int = 0) -> Change:
    row = {"id": 7, "migration_status": mark, "last_run": at(last_run) if last_run else None}
    return Change(seq, when, "config", row, transaction)


def run(seq: int, when: float, state: str, run_id: str = RUN, transaction: int = 0, **more: Any) -> Change:
    row = {"id": run_id, "config_id": 7, "destination": TABLE, "state": state, "why": "manual"} | more
    return Change(seq, when, "run", row, transaction)


def forward(
    seq: int, when: float, ended: float | None = None, message_id: str = "portal/1", attempt: int = 1
) -> Change:
    row = {"message_id": message_id, "config_id": 7, "destination": TABLE, "attempts": attempt}
    return Change(seq, when, "forward", row | {"ended_at": at(ended) if ended else None, "open_until": at(1000)})


def kept() -> History:
    """The service loads the sheet, a shadow stands beside it, the sheet is edited, and the job loads it."""
    shadow = {"run_id": OTHER, "destination": SHADOW, "why": "shadow"}
    return History(
        tables={7: TABLE},
        shadows={7: SHADOW},
        changes=[
            config(1, 90, None),
            forward(2, 100),
            forward(3, 102, ended=102),
            config(4, 105, "shadow"),
            run(5, 110, "launching", **shadow),
            run(6, 111, "running", **shadow),
            run(7, 113, "succeeded", **shadow),
            config(8, 120, "job_ready"),
            run(9, 131, "launching"),
            run(10, 132, "running"),
            run(11, 134, "succeeded", transaction=5),
            config(12, 134, "job_ready", last_run=130, transaction=5),
        ],
        writes=[
            Write("service-1", TABLE, 101, 101.5, rows=1),
            Write("shadow-1", SHADOW, 112, 112.5, {"run": OTHER}, rows=1),
            Write("job-1", TABLE, 133, 133.5, {"run": RUN}, rows=2),
        ],
        editions=[Edition(TABLE, 50, 125, OLD), Edition(TABLE, 125, None, NEW)],
        samples=[
            Sample(TABLE, 95, 95.1, None),
            Sample(TABLE, 110, 110.1, OLD),
            Sample(SHADOW, 114, 114.1, OLD),
            Sample(TABLE, 140, 140.1, NEW),
        ],
        published=["portal/1", "portal/2"],
        served=[Served("portal/1", 500), Served("portal/1", 200)],
        recorded=["portal/2"],
        audited=[Audited(7, "ana@desk", "service", "shadow"), Audited(7, "ana@desk", "shadow", "job_ready")],
    )


def test_a_history_in_which_all_is_kept_breaks_no_promise() -> None:
    assert judge(kept()) == []


def test_what_somebody_wrote_on_purpose_is_no_broken_promise() -> None:
    history = kept()
    history.writes.append(Write("by-hand", TABLE, 116, 116.1))
    history.edits.append(Edit("by-hand", NEW[:1]))
    history.samples.append(Sample(TABLE, 118, 118.1, NEW[:1]))
    assert judge(history) == []


def claimed_in_a_forward(history: History) -> None:
    history.changes[2] = forward(8, 133, ended=133)


def forwarded_in_a_run(history: History) -> None:
    history.changes += [forward(10, 132.5, None, "portal/3"), forward(13, 135, 135, "portal/3")]


def forwarded_for_the_job(history: History) -> None:
    """Nothing is open, but the table is the job's."""
    history.changes += [forward(20, 150, None, "portal/3"), forward(21, 151, 151, "portal/3")]


def run_for_the_service(history: History) -> None:
    history.changes += [run(20, 150, "launching", "run-3"), run(21, 151, "cancelled", "run-3")]
    history.changes += [config(15, 140, "service", last_run=130)]
    history.audited.append(Audited(7, "ana@desk", "job_ready", "service"))


def shadow_of_the_jobs(history: History) -> None:
    shadow = {"run_id": "run-3", "destination": SHADOW, "why": "shadow"}
    history.changes += [run(20, 150, "launching", **shadow), run(21, 151, "cancelled", **shadow)]


def strangers_write(history: History) -> None:
    history.writes.append(Write("stranger", TABLE, 116, 116.1, rows=1))


def service_writes_in_the_jobs_run(history: History) -> None:
    history.writes.append(Write("service-2", TABLE, 133.6, 133.7, rows=2))


def load_after_its_run(history: History) -> None:
    history.writes[2] = replace(history.writes[2], began=135, ended=135.5)


def shadow_into_the_services_table(history: History) -> None:
    history.writes[1] = replace(history.writes[1], table=TABLE)


def two_write_at_once(history: History) -> None:
    history.writes.append(Write("service-2", TABLE, 101.2, 101.7, rows=1))


def half_a_reading(history: History) -> None:
    history.writes[2] = replace(history.writes[2], rows=3)


def stale_reading(history: History) -> None:
    """The edition was gone before the run was claimed."""
    history.writes[2] = replace(history.writes[2], rows=1)


def mixed_rows(history: History) -> None:
    history.samples[3] = Sample(TABLE, 140, 140.1, [OLD[0], NEW[1]])


def changed_back(history: History) -> None:
    history.samples.append(Sample(TABLE, 142, 142.1, OLD))


def not_yet_loaded(history: History) -> None:
    """The job's load is seen before it began."""
    history.samples[1] = Sample(TABLE, 110, 110.1, NEW)


def table_gone(history: History) -> None:
    history.samples[3] = Sample(TABLE, 140, 140.1, None)


def served_twice(history: History) -> None:
    history.served.append(Served("portal/1", 200))


def done_by_both(history: History) -> None:
    history.recorded.append("portal/1")


def done_by_nobody(history: History) -> None:
    history.recorded.clear()


def change_not_audited(history: History) -> None:
    del history.audited[0]


def change_invented(history: History) -> None:
    history.audited.append(Audited(7, "ana@desk", "job_ready", "service"))


def changed_by_nobody(history: History) -> None:
    history.audited[0] = replace(history.audited[0], by=" ")


def last_run_by_a_shadow(history: History) -> None:
    history.changes[6] = replace(history.changes[6], transaction=4)
    history.changes.append(config(7, 113, "shadow", last_run=110, transaction=4))


BROKEN: dict[Callable[[History], None], str] = {
    claimed_in_a_forward: "two_never_have_a_table",
    forwarded_in_a_run: "two_never_have_a_table",
    forwarded_for_the_job: "who_begins_is_the_owner",
    run_for_the_service: "who_begins_is_the_owner",
    shadow_of_the_jobs: "who_begins_is_the_owner",
    strangers_write: "every_write_is_in_its_writers_hands",
    service_writes_in_the_jobs_run: "every_write_is_in_its_writers_hands",
    load_after_its_run: "every_write_is_in_its_writers_hands",
    shadow_into_the_services_table: "every_write_is_in_its_writers_hands",
    two_write_at_once: "every_write_is_in_its_writers_hands",
    half_a_reading: "every_load_is_one_complete_reading",
    stale_reading: "every_load_is_one_complete_reading",
    mixed_rows: "a_table_is_always_one_of_the_loads",
    changed_back: "a_table_is_always_one_of_the_loads",
    not_yet_loaded: "a_table_is_always_one_of_the_loads",
    table_gone: "a_table_is_always_one_of_the_loads",
    served_twice: "every_message_is_acted_on_once",
    done_by_both: "every_message_is_acted_on_once",
    done_by_nobody: "every_message_is_acted_on_once",
    change_not_audited: "every_change_of_owner_is_in_the_audit",
    change_invented: "every_change_of_owner_is_in_the_audit",
    changed_by_nobody: "every_change_of_owner_is_in_the_audit",
    last_run_by_a_shadow: "last_run_is_moved_by_the_jobs_own_loads",
}


@pytest.mark.parametrize("breaks", BROKEN, ids=lambda breaks: breaks.__name__)
def test_a_broken_promise_is_seen(breaks: Callable[[History], None]) -> None:
    history = kept()
    breaks(history)
    assert BROKEN[breaks] in {told.partition(":")[0] for told in judge(history)}


def test_every_check_can_fail() -> None:
    assert set(BROKEN.values()) == {check.__name__ for check in CHECKS}


def test_a_run_may_be_claimed_at_the_moment_of_a_rollback() -> None:
    """The mark's change was not to be seen yet; it wished the run away at once, and the service waits for its end."""
    history = kept()
    history.changes += [config(13, 150, "service", last_run=130), run(14, 150.1, "launching", "run-3")]
    history.changes += [run(15, 151, "cancelled", "run-3")]
    history.audited.append(Audited(7, "ana@desk", "job_ready", "service"))
    assert judge(history) == []


def test_a_withdrawn_message_is_in_nobodys_hands() -> None:
    history = kept()
    withdrawn = replace(history.changes[1], seq=3, at=100.5, row={**history.changes[1].row, "open_until": at(100.5)})
    again = [forward(4, 101.2, attempt=2), forward(5, 102, ended=102, attempt=2)]
    history.changes = [*history.changes[:2], withdrawn, *again]
    history.changes += [replace(each, seq=each.seq + 10) for each in kept().changes[3:]]
    assert judge(history) != []
    history.writes[0] = replace(history.writes[0], began=101.3)
    assert judge(history) == []


@pytest.mark.parametrize("name", ["judge", "history"])
def test_the_judge_shares_no_code_with_the_product(name: str) -> None:
    tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    assert {module.partition(".")[0] for module in imported} <= {
        "collections",
        "dataclasses",
        "datetime",
        "functools",
        "itertools",
        "tests",
        "typing",
    }
