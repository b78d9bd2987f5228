"""Messages that come twice, late, never, or from nobody."""

import base64
import contextlib
import json
import random
import time

from local.pubsub import COMPLETIONS
from tests.faults.arena import Arena
from tests.faults.hops import http_faults as http
from tests.faults.hops.rules import Rule
from tests.faults.hops.stream import StreamFault
from tests.faults.nemesis.fault import any_, fault, http_fault, stream_fault

for _hop in ("launch", "complete"):
    http_fault("messages", f"delivered three times to {_hop}", _hop, http.repeat(3), any_, most=4)
    http_fault("messages", f"late, so in another order, to {_hop}", _hop, http.delay(1.5), any_, most=4)
    http_fault("messages", f"ack lost by {_hop}", _hop, http.lose_reply, any_, most=3)
    http_fault("messages", f"not delivered to {_hop} at first", _hop, http.refuse(503), any_, most=4)
http_fault("messages", "completion lost for ever", "complete", http.swallow(), any_, most=3)
http_fault("messages", "run request lost for ever", "launch", http.swallow(), lambda request: _is_runs(request.body))
for _kind in ("cut", "lose_reply"):
    _name = {"cut": "publishing broke", "lose_reply": "reply to publishing lost"}[_kind]
    stream_fault("messages", _name, "pubsub", StreamFault(_kind), lambda chunk: b'"run_id"' in chunk)


def _is_runs(body: bytes) -> bool:
    with contextlib.suppress(ValueError, KeyError):
        return b'"run_id"' in base64.b64decode(json.loads(body)["message"]["data"])
    return False


@fault("messages", "none can be published for a while")
def _(arena: Arena, chance: random.Random) -> None:
    arena.injected["messages: none can be published for a while"] += 1
    arena.hops.close_stream("pubsub")
    time.sleep(chance.uniform(1, 4))
    arena.hops.open_stream("pubsub")


@fault("messages", "none is delivered for a while")
def _(arena: Arena, chance: random.Random) -> None:
    for hop in ("launch", "complete"):
        rule = Rule("messages: none is delivered for a while", http.refuse(503), any_, most=chance.randint(5, 15))
        arena.hops[hop].add(rule)


@fault("messages", "forged completion")
def _(arena: Arena, chance: random.Random) -> None:
    rows = arena.sql("SELECT id, attempt, execution FROM sheet_to_bigquery_runs WHERE attempt > 0")
    if not rows:
        return
    run_id, attempt, execution = chance.choice(rows)
    arena.injected["messages: forged completion"] += 1
    arena.forge(
        {
            "run_id": str(run_id),
            "attempt": attempt,
            "execution": chance.choice([(execution or "x").rsplit("/", 1)[-1], "forged-abcde"]),
            "outcome": chance.choice(["succeeded", "failed"]),
            "rows": 999_999,
            "error_class": "Forged",
            "error": "nobody said this",
            "retryable": chance.random() < 0.9,
        }
    )


@fault("input", "a message that nobody understands")
def _(arena: Arena, chance: random.Random) -> None:
    data = chance.choice([b"\xff\xfe\x00", b"{", b"[]", b'{"run_id": 7}', b'{"config_id": -1}', b"x" * 2_000_000])
    arena.injected["input: a message that nobody understands"] += 1
    arena.poison(data)
    arena.poison(data, COMPLETIONS)


@fault("input", "a request that dispatch cannot take")
def _(arena: Arena, chance: random.Random) -> None:
    body = chance.choice([b"\xff", b"[1]", b'{"max_parallel_jobs": "many"}', b'{"dry_rum": true}'])
    arena.injected["input: a request that dispatch cannot take"] += 1
    arena.call("/run", body)
