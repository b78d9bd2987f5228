"""The promises hold under a bounded selection of the faults that `make faults` hunts with."""

import re
from pathlib import Path

import pytest

from tests.faults.arena import Arena
from tests.faults.checker.judge import judge
from tests.faults.conftest import SEED
from tests.faults.hops import http_faults
from tests.faults.hops.rules import Rule
from tests.faults.nemesis.failpoints import FAILPOINTS
from tests.faults.nemesis.plan import ALL, plan
from tests.faults.round import play, tally

# Those that end within seconds; the long ones are for the hunt.
LONG_KINDS = ("SIGSTOP", "asleep beyond the lease")
ROUNDS = 2
ROOT = Path(__file__).parents[2]
SELECTED = [fault for fault in ALL if fault.kind not in LONG_KINDS]


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


def test_the_product_has_every_failpoint_that_is_tried() -> None:
    product = [path for folder in ("shared", "job", "functions") for path in (ROOT / folder).rglob("*.py")]
    text = "\n".join(path.read_text() for path in [*product, ROOT / "main.py"])
    named = set(re.findall(r'failpoint\("([a-z_.]+)"\)', text))
    assert named == set(FAILPOINTS)
