"""Clocks that are an hour wrong, each time that of one component alone: the promises hang on PostgreSQL's."""

import functools
import json
import random
from collections.abc import Mapping
from pathlib import Path

from tests.faults.arena import Arena
from tests.faults.hops import http_faults as http
from tests.faults.hops.rules import Rule
from tests.faults.nemesis.fault import FAULTS, Fault, asks

# Its `sitecustomize.py` is what Python runs before anything else.
CLOCK = Path(__file__).parents[1] / "clock"
# Just past the hour for which what a key signs counts.
WRONG = {"ahead": 3601, "behind": -3601}


def _wrong(seconds: int) -> dict[str, str]:
    return {"PYTHONPATH": str(CLOCK), "FAULT_CLOCK": str(seconds)}


def _function(arena: Arena, _chance: random.Random, name: str, told: str, seconds: int) -> None:
    """Until the arena heals."""
    arena.change(name, _wrong(seconds) | arena.metadata.settings)
    arena.injected[told] += 1


def _executions(arena: Arena, _chance: random.Random, told: str, seconds: int, *, has_key: bool) -> None:
    more = _wrong(seconds) | ({} if has_key else arena.metadata.settings)
    rule = Rule(told, http.altered(functools.partial(_with, more)), asks("POST", ":run"), most=2 if has_key else 4)
    arena.hops["run"].add(rule)


def _with(more: Mapping[str, str], body: bytes) -> bytes:
    told = json.loads(body)
    env = told["overrides"]["containerOverrides"][0]["env"]
    env += [{"name": name, "value": value} for name, value in more.items()]
    return json.dumps(told).encode()


def _add(name: str, strike: functools.partial[None], *, is_long: bool = False) -> None:
    FAULTS.append(Fault("clocks", name, functools.partial(strike, told=f"clocks: {name}"), is_long))


for _way, _seconds in WRONG.items():
    for _name in ("dispatch", "launch", "complete"):
        _add(f"{_name} an hour {_way}", functools.partial(_function, name=_name, seconds=_seconds), is_long=True)
    _add(f"executions an hour {_way}", functools.partial(_executions, seconds=_seconds, has_key=False))
    # Google refuses what they sign.
    _add(f"executions with a key file an hour {_way}", functools.partial(_executions, seconds=_seconds, has_key=True))
