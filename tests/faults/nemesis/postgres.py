"""What happens to PostgreSQL and on the way there."""

import random
import time

from tests.faults.arena import Arena
from tests.faults.hops.rules import Rule
from tests.faults.hops.stream import StreamFault
from tests.faults.nemesis.fault import fault, stream_fault


def _commits(chunk: bytes) -> bool:
    return chunk[:1] == b"Q" and b"COMMIT" in chunk[:32]


def _states(chunk: bytes) -> bool:
    return chunk[:1] == b"P" and b"sheet_to_bigquery_runs" in chunk and b"SET" in chunk


stream_fault("PostgreSQL", "reply to COMMIT lost", "postgres", StreamFault("lose_reply"), _commits)
stream_fault("PostgreSQL", "connection broken before COMMIT", "postgres", StreamFault("cut"), _commits)
stream_fault("PostgreSQL", "reply to an UPDATE lost", "postgres", StreamFault("lose_reply"), _states)
stream_fault("PostgreSQL", "connection broken before an UPDATE", "postgres", StreamFault("cut"), _states)
stream_fault("PostgreSQL", "a slow UPDATE", "postgres", StreamFault("delay", 1.0), _states)
stream_fault("PostgreSQL", "a slow COMMIT", "postgres", StreamFault("delay", 1.0), _commits)


@fault("PostgreSQL", "backends killed in mid-transaction")
def _(arena: Arena, _chance: random.Random) -> None:
    # A transaction that is slow enough to be met.
    arena.hops["postgres"].add(Rule("PostgreSQL: a slow COMMIT", StreamFault("delay", 0.5), _commits, most=2))
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        killed = arena.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND pid <> pg_backend_pid() AND state = 'idle in transaction'"
            " AND application_name <> 'person'"
        )
        if killed:
            arena.injected["PostgreSQL: backends killed in mid-transaction"] += len(killed)
            return
        time.sleep(0.02)


@fault("PostgreSQL", "restart")
def _(arena: Arena, chance: random.Random) -> None:
    arena.injected["PostgreSQL: restart"] += 1
    (arena.system.kill if chance.random() < 0.5 else arena.system.stop)("postgres")
    arena.start("postgres")


@fault("PostgreSQL", "an outage")
def _(arena: Arena, chance: random.Random) -> None:
    arena.injected["PostgreSQL: an outage"] += 1
    arena.hops.close_stream("postgres")
    time.sleep(chance.uniform(1, 5))
    arena.hops.open_stream("postgres")


@fault("PostgreSQL", "an outage of half a minute", is_long=True)
def _(arena: Arena, chance: random.Random) -> None:
    """People and the scheduler go on meanwhile, and wherever the product looks, nobody is there."""
    arena.injected["PostgreSQL: an outage of half a minute"] += 1
    arena.hops.close_stream("postgres")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        arena.request(chance.choice(sorted(arena.configs)))
        arena.call(chance.choice(["/run", "/sweep"]))
        time.sleep(3)
    arena.hops.open_stream("postgres")


@fault("PostgreSQL", "connections exhausted")
def _(arena: Arena, _chance: random.Random) -> None:
    arena.injected["PostgreSQL: connections exhausted"] += 1
    arena.limit_connections(1)
    time.sleep(2)
    arena.limit_connections(-1)
