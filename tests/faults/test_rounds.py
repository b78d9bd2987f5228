"""The promises hold under a bounded selection of the faults that `make faults` hunts with."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.arena import Arena
from tests.faults.checker.judge import judge
from tests.faults.conftest import SEED
from tests.faults.hops import http_faults
from tests.faults.hops.rules import Rule
from tests.faults.listener import CHANNELS
from tests.faults.nemesis.failpoints import FAILPOINTS, OF_CONSOLE, OF_FORWARD, OF_MIGRATION, OF_PLANS
from tests.faults.nemesis.people import add_unused, youngest_unused
from tests.faults.nemesis.plan import ALL, plan
from tests.faults.round import NOWHERE, play, tally

ROUNDS = 2
ROOT = Path(__file__).parents[2]
LEASE_OVER = "SELECT FROM sheet_to_bigquery_runs WHERE config_id = :id AND lease_until < now() AND ended_at IS NULL"
SETTLED = "SELECT FROM sheet_to_bigquery_runs WHERE config_id = :id AND state = 'succeeded'"
# Those that end within seconds; the long ones are for the hunt.
SELECTED = [fault for fault in ALL if not fault.is_long]


@pytest.mark.parametrize("number", range(ROUNDS))
def test_no_promise_is_broken(arena: Arena, number: int) -> None:
    faults = [fault for fault in plan(SEED, 3 * ROUNDS)[number] if fault in SELECTED]
    assert play(arena, faults, SEED, number) == [], tally(arena)


def test_without_any_completion_message_every_run_ends(arena: Arena) -> None:
    arena.hops["complete"].add(Rule("messages: all completions lost", http_faults.swallow(), lambda _: True))
    try:
        config_id = arena.add_config("unheard", SEED, run_frequency_hours=1)
        arena.call("/run").result()
        assert arena.settle()
        [(state,)] = arena.sql("SELECT state FROM sheet_to_bigquery_runs WHERE config_id = :id", id=config_id)
    finally:
        arena.heal()
    assert (state, judge(arena.history())) == ("succeeded", [])


def test_a_config_that_always_fails_is_paused_and_told_and_keeps_nobody_waiting(arena: Arena) -> None:
    failing = arena.add_config("fails", SEED, run_frequency_hours=0, google_sheet_url=NOWHERE)
    well = arena.add_config("fares-well", SEED, run_frequency_hours=0)
    for _ in range(int(arena.limits["PAUSE_AFTER_FAILURES"])):
        for config_id in (failing, well):
            arena.request(config_id)
        assert arena.settle()
    arena.tell()
    runs = arena.sql(
        "SELECT config_id, state, count(*) FROM sheet_to_bigquery_runs WHERE config_id = ANY(:ids) GROUP BY 1, 2",
        ids=[failing, well],
    )
    active = "SELECT is_active FROM sheet_to_bigquery_configs WHERE id = ANY(:ids) ORDER BY id"
    assert sorted(runs) == [[failing, "failed", 3], [well, "succeeded", 3]]
    assert arena.sql(active, ids=[failing, well]) == [[False], [True]]
    assert judge(arena.history()) == []


def test_while_nobody_listens_a_run_is_settled_all_the_same(arena: Arena) -> None:
    """By a sweep that then waits for those who do not listen: it tells last."""
    failing = arena.add_config("fails-unheard", SEED, run_frequency_hours=0, google_sheet_url=NOWHERE)
    well = arena.add_config("settled-unheard", SEED, run_frequency_hours=0)
    for hop in CHANNELS:
        arena.hops[hop].add(Rule("notices: nobody listens", http_faults.hang(20), lambda _: True))
    try:
        arena.request(failing)
        arena.wait_for_end(failing)
        arena.hops["complete"].add(Rule("messages: all completions lost", http_faults.swallow(), lambda _: True))
        arena.request(well)
        until(lambda: arena.sql(LEASE_OVER, id=well) and arena.table("settled-unheard"))
        assert arena.let_time_pass()
        sweep = arena.call("/sweep")
        # Each channel is waited for four seconds.
        until(lambda: arena.sql(SETTLED, id=well), seconds=7)
        time.sleep(0.5)
        assert not sweep.done(), "the sweep told people first, or told nobody"
    finally:
        arena.heal()
    assert arena.settle()
    arena.tell()
    assert judge(arena.history()) == []


def test_cleaning_that_dies_in_the_middle_is_ended_by_the_next(arena: Arena) -> None:
    used, unused, gone = add_unused(arena, "used"), add_unused(arena, "unused"), 900_000_001
    for config_id, youngest in ((used, 1), (unused, youngest_unused(arena)), (gone, 1)):
        arena.write_old_runs(config_id, youngest)
    counted = "SELECT config_id, count(*) FROM sheet_to_bigquery_runs WHERE config_id = ANY(:ids) GROUP BY 1"
    ids = [used, unused, gone]
    assert dict(arena.sql(counted, ids=ids)) == dict.fromkeys(ids, 60)
    arena.failpoints.arm("clean.after_runs", "exit", "kill -9: at clean.after_runs")
    assert arena.call("/sweep").result() is None
    left = "SELECT count(*) FROM sheet_to_bigquery_messages WHERE message_id LIKE 'old-%'"
    assert arena.sql(left)[0][0] >= 2 * 60, "the runs are gone and the messages are not"
    assert arena.settle()
    assert dict(arena.sql(counted, ids=ids)) == {used: 29, unused: 3, gone: 29}
    assert judge(arena.history()) == []


def until(comes: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not comes():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_product_has_every_failpoint_that_is_tried() -> None:
    product = [path for folder in ("shared", "job", "functions", "console") for path in (ROOT / folder).rglob("*.py")]
    text = "\n".join(path.read_text() for path in [*product, ROOT / "main.py"])
    named = set(re.findall(r'failpoint\("([a-z_.]+)"\)', text))
    assert named == {*FAILPOINTS, *OF_FORWARD, *OF_PLANS, *OF_CONSOLE, *OF_MIGRATION}
