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
