"""One round: configs that are due, people who ask and edit, faults that strike, and the time to recover."""

import contextlib
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.faults.arena import Arena
from tests.faults.checker.history import Violation
from tests.faults.checker.judge import judge
from tests.faults.nemesis.fault import Fault
from tests.faults.sheets import HEADERS

# Between two faults: time for some of the work to meet them.
SECONDS_BETWEEN = 0.6
SECONDS_TO_MEET = 10
# Kinds that kill processes at once, or keep the database from them.
TROUBLES = ("PostgreSQL", "kill -9")
# How each config of a round is loaded. By appending, a load too many shows for ever.
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"load_mode": "append"},
    {"skip_unchanged": True},
    {"load_mode": "merge", "merge_keys": [HEADERS[0]]},
    {},
)
# With one more that always fails: nobody else may suffer from it.
CONFIGS = len(OPTIONS) + 1
NOWHERE = "https://docs.google.com/spreadsheets/d/nowhere/edit"


def play(arena: Arena, faults: Sequence[Fault], seed: int, number: int) -> list[Violation]:
    """Let the faults strike while runs go on; then heal, wait, and judge all that happened so far."""
    chance = random.Random(f"{seed} {number}")
    begin = time.monotonic()
    config_ids = _populate(arena, chance, seed, number)
    for fault in faults:
        with arena.trouble() if fault.kind in TROUBLES else contextlib.nullcontext():
            fault.strike(arena, chance)
        _live(arena, chance)
        time.sleep(SECONDS_BETWEEN)
    _meet(arena, chance)
    arena.heal()
    struck = time.monotonic() - begin
    arena.settle()
    arena.heal()  # what was ordered late
    wrong = [Violation("I3", f"{name} is not its sheet after a run of its own") for name in arena.converge(config_ids)]
    arena.tell()
    violations = judge(arena.history()) + wrong
    took = time.monotonic() - begin
    print(f"round {number}: {len(faults)} faults in {struck:.0f} s, recovered after {took - struck:.0f} s", flush=True)
    return violations


def _populate(arena: Arena, chance: random.Random, seed: int, number: int) -> list[int]:
    """Configs in all states that the due rule knows: never run, overdue, due again soon, by hand only.

    Tells those that can succeed.
    """
    ages = ("NULL", "now() - interval '5 hours'", "now() - interval '1 hour 59 minutes 50 seconds'", "now()")
    arena.add_config(f"s{seed}r{number}fails", 0, run_frequency_hours=1, google_sheet_url=NOWHERE)
    config_ids = []
    for index in range(len(OPTIONS)):
        name = f"s{seed}r{number}c{index}"
        frequency = 0 if index == len(OPTIONS) - 1 else chance.choice([1, 2])
        options = OPTIONS[index]
        config_id = arena.add_config(name, chance.getrandbits(32), options, run_frequency_hours=frequency)
        config_ids.append(config_id)
        arena.sql(
            f"UPDATE sheet_to_bigquery_configs SET last_run = {ages[index % len(ages)]} WHERE id = :config_id",
            config_id=config_id,
        )
    arena.call("/run")
    return config_ids


def _meet(arena: Arena, chance: random.Random) -> None:
    """Let work go on until somebody has come to each place where a fault waits, or long enough."""
    deadline = time.monotonic() + SECONDS_TO_MEET
    while (arena.failpoints.armed() or arena.hops.wait()) and time.monotonic() < deadline:
        _live(arena, chance)
        time.sleep(SECONDS_BETWEEN)


def _live(arena: Arena, chance: random.Random) -> None:
    """People and the scheduler at their work."""
    arena.call("/sweep")
    config_id = chance.choice(sorted(arena.configs)[-CONFIGS:])
    doing = chance.random()
    if doing < 0.4:
        arena.request(config_id)
    elif doing < 0.52:
        arena.sheets[arena.configs[config_id]].write()
    elif doing < 0.6:
        arena.sql("UPDATE sheet_to_bigquery_configs SET last_run = NULL WHERE id = :config_id", config_id=config_id)
    elif doing < 0.65:
        arena.sql("UPDATE sheet_to_bigquery_configs SET last_run = now() WHERE id = :config_id", config_id=config_id)
    elif doing < 0.72:
        if found := arena.open_runs():
            arena.cancel_run(chance.choice(found))
    elif doing < 0.77:
        arena.pause(config_id)
    elif doing < 0.85:
        arena.resume([config_id])
    else:
        arena.call("/run")


def tally(arena: Arena) -> Counter[str]:
    """What struck so far, and how often."""
    return arena.hops.struck() + arena.injected + arena.failpoints.taken()
