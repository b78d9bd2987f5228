"""What Sheets does to a read, and people to their sheets."""

import random

from tests.faults.arena import Arena
from tests.faults.hops import http_faults as http
from tests.faults.hops.http import Exchange
from tests.faults.hops.rules import Rule
from tests.faults.nemesis.fault import LONG, any_, asks, fault, http_fault

_reads = asks("GET", "/v4/spreadsheets/")
_cells = asks("GET", "values:batchGet")
http_fault("Sheets", "429", "sheets", http.refuse(429, "rateLimitExceeded", "RESOURCE_EXHAUSTED"), _reads)
http_fault("Sheets", "500", "sheets", http.refuse(500, "backendError", "INTERNAL"), any_)
http_fault("Sheets", "silence", "sheets", http.hang(LONG), any_, most=1)
http_fault("Sheets", "a body cut off", "sheets", http.truncate, _reads)
http_fault("Sheets", "a broken connection", "sheets", http.lose_reply, any_)


@fault("Sheets", "an edit during the read")
def _(arena: Arena, _chance: random.Random) -> None:
    async def edit(exchange: Exchange) -> None:
        name = exchange.request.path.partition("/v4/spreadsheets/")[2].partition("/")[0]
        arena.sheets[name].write()

    kind = "Sheets: an edit during the read"
    arena.hops["sheets"].add(Rule(kind, http.after(edit), _cells, most=2))


@fault("Sheets", "an edit")
def _(arena: Arena, chance: random.Random) -> None:
    arena.injected["Sheets: an edit"] += 1
    arena.sheets[chance.choice(sorted(arena.sheets))].write()


@fault("Sheets", "emptied")
def _(arena: Arena, chance: random.Random) -> None:
    arena.injected["Sheets: emptied"] += 1
    arena.sheets[chance.choice(sorted(arena.sheets))].write(rows=0)


@fault("Sheets", "columns swapped")
def _(arena: Arena, chance: random.Random) -> None:
    arena.injected["Sheets: columns swapped"] += 1
    arena.sheets[chance.choice(sorted(arena.sheets))].swap_columns()
