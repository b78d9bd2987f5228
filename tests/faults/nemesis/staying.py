"""A sweep that stays while runs wait for time alone, and does not live to see it come."""

import random
import signal
import time
from collections.abc import Callable

from tests.faults.arena import Arena
from tests.faults.hops import http_faults as http
from tests.faults.hops.rules import Rule
from tests.faults.nemesis.fault import LONG, asks, fault

# It stays for some of these: what Cloud Run refused comes back within RETRY of it.
STAYS, RETRY = 15, 10


def _stay(arena: Arena, chance: random.Random, strike: Callable[[Arena], None], told: str) -> None:
    """Lets a sweep stay for a run that Cloud Run has no room for now, and strikes while it does."""
    arena.change("dispatch", {"SWEEP_SECONDS": str(STAYS)})
    arena.change("launch", {"RETRY_SECONDS": str(RETRY)})
    refuses = http.refuse(429, "rateLimitExceeded", "RESOURCE_EXHAUSTED")
    arena.hops["run"].add(Rule("Cloud Run: 429 to RunJob", refuses, asks("POST", ":run"), most=2))
    config_id = arena.add_config(f"stays{chance.getrandbits(40):x}", chance.getrandbits(32), run_frequency_hours=0)
    arena.request(config_id)
    refused = "SELECT FROM sheet_to_bigquery_runs WHERE config_id = :id AND state = 'pending' AND attempt > 0"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not arena.sql(refused, id=config_id):
        time.sleep(0.1)
    sweep = arena.call("/sweep")
    time.sleep(2)
    if not sweep.done():
        arena.injected[told] += 1
    strike(arena)


@fault("sweep", "killed while it stays", is_long=True)
def _(arena: Arena, chance: random.Random) -> None:
    def kill(arena: Arena) -> None:
        with arena.trouble():
            arena.system.kill("dispatch")
            arena.start("dispatch", {"SWEEP_SECONDS": str(STAYS)})

    _stay(arena, chance, kill, "sweep: killed while it stays")


@fault("sweep", "stopped while it stays, beyond the lease", is_long=True)
def _(arena: Arena, chance: random.Random) -> None:
    def stop(arena: Arena) -> None:
        arena.signal("dispatch", signal.SIGSTOP)
        time.sleep(LONG)
        arena.signal("dispatch", signal.SIGCONT)

    _stay(arena, chance, stop, "sweep: stopped while it stays, beyond the lease")
