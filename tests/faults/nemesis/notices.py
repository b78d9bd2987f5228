"""What happens to what people are told."""

import random

from tests.faults.arena import Arena
from tests.faults.hops import http_faults as http
from tests.faults.listener import CHANNELS
from tests.faults.nemesis.fault import any_, fault, http_fault

# Longer than a sender's patience.
SILENCE = 6.0
FAILING = 3

for _hop in CHANNELS:
    http_fault("notices", f"500 by {_hop}", _hop, http.refuse(500), any_)
    http_fault("notices", f"500 by {_hop}, which took it", _hop, http.refuse_late(500), any_)
    http_fault("notices", f"silence of {_hop}", _hop, http.hang(SILENCE), any_, most=1)
    http_fault("notices", f"broken connection to {_hop}", _hop, http.lose_request, any_)
    http_fault("notices", f"answer of {_hop} lost", _hop, http.lose_reply, any_)


@fault("notices", "configs that fail, and then not")
def _(arena: Arena, chance: random.Random) -> None:
    """Something to tell: a tab that is not there, until a person corrects it."""
    arena.injected["notices: configs that fail, and then not"] += 1
    missing = {"run_frequency_hours": 0, "google_sheet_tab_name": "no such tab"}
    names = [f"told{chance.getrandbits(40):x}" for _ in range(FAILING)]
    config_ids = [arena.add_config(name, chance.getrandbits(32), **missing) for name in names]
    for config_id in config_ids:
        arena.request(config_id)
    for config_id in config_ids:
        arena.wait_for_end(config_id)
        arena.sql("UPDATE sheet_to_bigquery_configs SET google_sheet_tab_name = NULL WHERE id = :id", id=config_id)
        arena.request(config_id)
