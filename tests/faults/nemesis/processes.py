"""Processes that die, sleep, and are called too often."""

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor, wait

from local.component import wait_until_ready
from tests.faults.arena import Arena
from tests.faults.hops import http_faults as http
from tests.faults.hops.http import Exchange
from tests.faults.nemesis.failpoints import FAILPOINTS
from tests.faults.nemesis.fault import FAULTS, LONG, Fault, any_, fault, http_fault, send_signal

for _point in FAILPOINTS:

    def _kill_at(arena: Arena, _chance: random.Random, point: str = _point) -> None:
        arena.failpoints.arm(point, "exit", f"kill -9: at {point}")

    def _sleep_at(arena: Arena, _chance: random.Random, point: str = _point) -> None:
        arena.failpoints.arm(point, f"sleep {LONG}", f"asleep beyond the lease: at {point}")

    FAULTS.append(Fault("kill -9", f"at {_point}", _kill_at))
    FAULTS.append(Fault("asleep beyond the lease", f"at {_point}", _sleep_at, is_long=True))


@fault("kill -9", "a function")
def _(arena: Arena, chance: random.Random) -> None:
    name = chance.choice(["dispatch", "launch", "complete"])
    arena.injected["kill -9: a function"] += 1
    arena.system.kill(name)
    time.sleep(chance.uniform(0, 2))
    arena.start(name)


@fault("SIGSTOP", "a function, beyond the lease", is_long=True)
def _(arena: Arena, chance: random.Random) -> None:
    name = chance.choice(["dispatch", "launch", "complete"])
    arena.injected["SIGSTOP: a function, beyond the lease"] += 1
    arena.signal(name, signal.SIGSTOP)
    time.sleep(LONG)
    arena.signal(name, signal.SIGCONT)


@fault("SIGSTOP", "an execution, beyond the lease", is_long=True)
def _(arena: Arena, chance: random.Random) -> None:
    if running := sorted(arena.executions().items()):
        arena.injected["SIGSTOP: an execution, beyond the lease"] += 1
        pid = chance.choice(running)[1]
        send_signal(pid, signal.SIGSTOP)
        time.sleep(LONG)
        send_signal(pid, signal.SIGCONT)


async def _answer_lost(exchange: Exchange) -> None:
    await exchange.forward()
    await exchange.forward()


http_fault("scheduler", "a call heard twice", "dispatch", http.repeat(2), any_, most=4)
http_fault("scheduler", "a call's answer lost, and the call repeated", "dispatch", _answer_lost, any_, most=4)


@fault("scheduler", "eight dispatchers at once", is_long=True)
def _(arena: Arena, _chance: random.Random) -> None:
    """Each a process of its own, all called in the same moment."""
    dispatchers = [arena.another("dispatch", number) for number in range(8)]
    wait_until_ready(dispatchers, seconds=60)
    arena.injected["scheduler: eight dispatchers at once"] += 1
    with ThreadPoolExecutor(8) as pool, arena.trouble():
        # Once they have answered, or as long as they take to hear the call.
        wait([pool.submit(arena.call_at, each.address, "/run") for each in dispatchers], timeout=30)
        for each in dispatchers:
            each.stop()


@fault("scheduler", "eight calls of dispatch at once")
def _(arena: Arena, _chance: random.Random) -> None:
    arena.injected["scheduler: eight calls of dispatch at once"] += 1
    for _ in range(8):
        arena.call("/run")


@fault("scheduler", "a config is added that is overdue already")
def _(arena: Arena, chance: random.Random) -> None:
    arena.injected["scheduler: a config is added that is overdue already"] += 1
    _add_overdue(arena, chance)
    arena.call("/run")


@fault("scheduler", "a config goes before all others while admission commits")
def _(arena: Arena, chance: random.Random) -> None:
    # Its own length, by which it is told from the sleep that strikes alone.
    arena.failpoints.arm(
        "admit.before_commit",
        f"sleep {LONG + 0.5}",
        "scheduler: a config goes before all others while admission commits",
    )
    _add_overdue(arena, chance)
    arena.call("/run")
    deadline = time.monotonic() + LONG
    while any(path.name == "admit.before_commit" for path in arena.failpoints.armed()) and time.monotonic() < deadline:
        time.sleep(0.1)
    _add_overdue(arena, chance)
    arena.call("/run")


def _add_overdue(arena: Arena, chance: random.Random) -> None:
    """A config whose slot is three days ago: its run goes before all others."""
    config_id = arena.add_config(f"late{chance.getrandbits(40):x}", chance.getrandbits(32), run_frequency_hours=0)
    arena.sql(
        "UPDATE sheet_to_bigquery_configs SET run_frequency_hours = 100, last_run = now() - interval '172 hours'"
        " WHERE id = :config_id",
        config_id=config_id,
    )


@fault("scheduler", "four sweeps at once")
def _(arena: Arena, _chance: random.Random) -> None:
    arena.injected["scheduler: four sweeps at once"] += 1
    for _ in range(4):
        arena.call("/sweep")
