"""What Cloud Run does to a call, and to executions."""

import random
import signal

from tests.faults.arena import Arena
from tests.faults.hops import http_faults as http
from tests.faults.hops.rules import Rule
from tests.faults.nemesis.fault import asks, fault, http_fault, send_signal

_starts = asks("POST", ":run")
_looks = asks("GET", "/executions")
http_fault("Cloud Run", "429 to RunJob", "run", http.refuse(429, "rateLimitExceeded", "RESOURCE_EXHAUSTED"), _starts)
http_fault("Cloud Run", "503 before an execution was created", "run", http.refuse(503), _starts)
http_fault("Cloud Run", "503 although an execution was created", "run", http.refuse_late(503), _starts)
http_fault("Cloud Run", "409 to RunJob", "run", http.refuse(409, "aborted", "ABORTED"), _starts)
http_fault("Cloud Run", "reply to RunJob lost", "run", http.lose_reply, _starts)
http_fault("Cloud Run", "RunJob lost", "run", http.lose_request, _starts)
http_fault("Cloud Run", "RunJob heard twice", "run", http.repeat(2), _starts)
http_fault("Cloud Run", "500 to a look at executions", "run", http.refuse(500), _looks, most=3)
http_fault("Cloud Run", "an execution forgotten", "run", http.refuse(404, "notFound", "NOT_FOUND"), _looks, most=4)


@fault("Cloud Run", "an execution that never starts")
def _(arena: Arena, _chance: random.Random) -> None:
    arena.injected["Cloud Run: an execution that never starts"] += 1
    arena.order("run", never_start=1)


@fault("Cloud Run", "out of memory, exit code 0")
def _(arena: Arena, _chance: random.Random) -> None:
    arena.injected["Cloud Run: out of memory, exit code 0"] += 1
    arena.order("run", out_of_memory=1)


@fault("Cloud Run", "an execution cancelled")
def _(arena: Arena, chance: random.Random) -> None:
    if running := sorted(arena.executions()):
        arena.injected["Cloud Run: an execution cancelled"] += 1
        arena.cancel_execution(chance.choice(running))


@fault("Cloud Run", "an execution killed")
def _(arena: Arena, chance: random.Random) -> None:
    if running := sorted(arena.executions().items()):
        arena.injected["Cloud Run: an execution killed"] += 1
        send_signal(chance.choice(running)[1], signal.SIGKILL)


@fault("Cloud Run", "an execution past its time-out")
def _(arena: Arena, chance: random.Random) -> None:
    point = chance.choice(["job.before_insert", "job.after_insert"])
    arena.failpoints.arm(point, "sleep 60", "Cloud Run: an execution past its time-out")


@fault("Cloud Run", "an execution asleep and forgotten, that wakes")
def _(arena: Arena, chance: random.Random) -> None:
    kind = "Cloud Run: an execution asleep and forgotten, that wakes"
    arena.failpoints.arm(chance.choice(["job.after_read", "job.before_insert"]), "sleep 7", kind)
    forgets = http.refuse(404, "notFound", "NOT_FOUND")
    arena.hops["run"].add(Rule(kind, forgets, asks("GET", "/executions/"), most=4))
