"""What people do all at once, and what lies there since long ago."""

import random

from tests.faults.arena import Arena
from tests.faults.nemesis.fault import fault


@fault("people", "every open run cancelled")
def _(arena: Arena, _chance: random.Random) -> None:
    for run_id in arena.open_runs():
        arena.injected["people: every open run cancelled"] += 1
        arena.cancel_run(run_id)


@fault("people", "a config paused while its run goes on, and resumed")
def _(arena: Arena, chance: random.Random) -> None:
    config_id = chance.choice(sorted(arena.configs))
    arena.injected["people: a config paused while its run goes on, and resumed"] += 1
    arena.request(config_id)
    arena.pause(config_id)
    arena.call("/run").result()
    arena.resume([config_id])


@fault("people", "old runs and messages, of a config that is there and of one that is gone")
def _(arena: Arena, chance: random.Random) -> None:
    arena.injected["people: old runs and messages, of a config that is there and of one that is gone"] += 1
    for config_id in (chance.choice(sorted(arena.configs)), 900_000_000 + chance.getrandbits(20)):
        arena.write_old_runs(config_id)
    arena.write_old_runs(add_unused(arena, f"unused{chance.getrandbits(40):x}"), youngest_unused(arena))


@fault("people", "a config that fails asked for until it is paused, and resumed", is_long=True)
def _(arena: Arena, chance: random.Random) -> None:
    name = f"fails{chance.getrandbits(40):x}"
    config_id = arena.add_config(name, 0, run_frequency_hours=0, google_sheet_tab_name="no such tab")
    for number in range(int(arena.limits["PAUSE_AFTER_FAILURES"])):
        arena.request(config_id)
        arena.wait_for_end(config_id, runs=number + 1)
    arena.injected["people: a config that fails asked for until it is paused, and resumed"] += 1
    arena.resume([config_id])
    arena.request(config_id)


@fault("people", "last_run nulled while a run goes on")
def _(arena: Arena, chance: random.Random) -> None:
    _write_last_run(arena, chance, "last_run nulled while a run goes on", "NULL")


@fault("people", "last_run put ahead while a run goes on")
def _(arena: Arena, chance: random.Random) -> None:
    _write_last_run(arena, chance, "last_run put ahead while a run goes on", "now()")


def _write_last_run(arena: Arena, chance: random.Random, name: str, value: str) -> None:
    """In the middle of a run that began with a last_run: its end must not take back what was written."""
    config_id = chance.choice(sorted(arena.configs))
    arena.resume([config_id])
    write = "UPDATE sheet_to_bigquery_configs SET last_run = {} WHERE id = :config_id"
    arena.sql(write.format("now() - interval '1 hour'"), config_id=config_id)
    arena.request(config_id)
    if arena.wait_for_flight(config_id):
        arena.sql(write.format(value), config_id=config_id)
        arena.injected[f"people: {name}"] += 1


def add_unused(arena: Arena, name: str) -> int:
    """A config that ran long ago, and is nobody's any more."""
    return arena.add_config(name, 0, run_frequency_hours=0, last_run="2026-01-01T00:00Z")


def youngest_unused(arena: Arena) -> int:
    """So many days ago that its newest run, its newest scheduled one and its newest load are three, and all are old."""
    return int(arena.limits["RUNS_KEPT_DAYS"]) + 5
