"""What BigQuery does to a call, and to jobs."""

import json
import random

from local.environment import PROJECT
from tests.faults.arena import Arena
from tests.faults.hops import http_faults as http
from tests.faults.hops.http import Exchange
from tests.faults.hops.rules import Rule
from tests.faults.nemesis.fault import LONG, asks, fault, http_fault

_inserts = asks("POST", "uploadType=")
_gets_job = asks("GET", "/jobs/")
http_fault("BigQuery", "reply to an insert lost", "bigquery", http.lose_reply, _inserts)
http_fault("BigQuery", "insert lost", "bigquery", http.lose_request, _inserts)
http_fault("BigQuery", "503 although the job was accepted", "bigquery", http.refuse_late(503), _inserts)
http_fault("BigQuery", "500 to an insert", "bigquery", http.refuse(500, "internalError", "INTERNAL"), _inserts)
http_fault("BigQuery", "503 to jobs.get", "bigquery", http.refuse(503), _gets_job, most=3)
http_fault(
    "BigQuery", "403 quotaExceeded", "bigquery", http.refuse(403, "quotaExceeded", "PERMISSION_DENIED"), _inserts
)
http_fault("BigQuery", "an insert heard twice", "bigquery", http.repeat(2), _inserts)
http_fault(
    "BigQuery", "reply to a burn lost", "bigquery", http.lose_reply, asks("POST", "/projects/" + PROJECT + "/jobs?")
)


@fault("BigQuery", "404 after 409")
def _(arena: Arena, _chance: random.Random) -> None:
    kind = "BigQuery: 404 after 409"
    arena.hops["bigquery"].add(Rule(kind, http.refuse_late(503), _inserts, most=1))
    arena.hops["bigquery"].add(Rule(kind, http.refuse(404, "notFound", "NOT_FOUND"), _gets_job, most=2))


@fault("BigQuery", "slow jobs")
def _(arena: Arena, chance: random.Random) -> None:
    arena.injected["BigQuery: slow jobs"] += 1
    arena.order("bigquery", load_seconds=chance.choice([0.0, 1.0, LONG]))


@fault("BigQuery", "a load that fails")
def _(arena: Arena, chance: random.Random) -> None:
    arena.injected["BigQuery: a load that fails"] += 1
    arena.order("bigquery", failing_loads=1, reason=chance.choice(["backendError", "quotaExceeded", "invalid"]))


@fault("BigQuery", "a stranger's job under the attempt's id")
def _(arena: Arena, _chance: random.Random) -> None:
    async def intrude(exchange: Exchange) -> None:
        found = exchange.request.body.partition(b'"jobId": "')[2].partition(b'"')[0].decode()
        location = exchange.request.body.partition(b'"location": "')[2].partition(b'"')[0].decode()
        job = {
            "jobReference": {"projectId": PROJECT, "jobId": found, "location": location},
            "configuration": {"query": {"query": "SELECT 1", "useLegacySql": False}},
        }
        headers = dict(exchange.request.headers) | {"content-type": "application/json"}
        request = type(exchange.request)(
            "POST", f"/bigquery/v2/projects/{PROJECT}/jobs", headers, json.dumps(job).encode()
        )
        await exchange.hop.ask(request)

    kind = "BigQuery: a stranger's job under the attempt's id"
    arena.hops["bigquery"].add(Rule(kind, http.before(intrude), _inserts, most=1))
