"""A fault, the list of all, and how most of them are made."""

import contextlib
import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.arena import Arena
from tests.faults.hops.http import Act
from tests.faults.hops.rules import Rule
from tests.faults.hops.stream import StreamFault

# Longer than a lease, shorter than a deadline.
LONG = 3.0
Strike = Callable[[Arena, random.Random], None]


@dataclass(frozen=True)
class Fault:
    """Something that can happen, of a kind (a row of the README's table)."""

    kind: str
    name: str
    strike: Strike
    # Takes longer than a bounded selection of faults has.
    is_long: bool = False

    def __str__(self) -> str:
        """As it is counted."""
        return f"{self.kind}: {self.name}"


FAULTS: list[Fault] = []


def fault(kind: str, name: str, *, is_long: bool = False) -> Callable[[Strike], None]:
    """Adds what strikes at once to the list."""

    def register(strike: Strike) -> None:
        FAULTS.append(Fault(kind, name, strike, is_long))

    return register


def http_fault(kind: str, name: str, hop: str, act: Act, matches: Callable[[Any], bool], most: int = 2) -> None:
    """Adds what strikes the next few requests that match."""
    _rule(Fault(kind, name, _nothing), hop, act, matches, most)


def stream_fault(kind: str, name: str, hop: str, act: StreamFault, matches: Callable[[bytes], bool]) -> None:
    """Adds what strikes the next one or two pieces of a stream that match."""
    _rule(Fault(kind, name, _nothing), hop, act, matches, 2)


def _rule(told: Fault, hop: str, act: Act | StreamFault, matches: Callable[[Any], bool], most: int) -> None:
    def strike(arena: Arena, chance: random.Random) -> None:
        arena.hops[hop].add(Rule(str(told), act, matches, most=chance.randint(1, most)))

    FAULTS.append(Fault(told.kind, told.name, strike))


def _nothing(_arena: Arena, _chance: random.Random) -> None:
    """Of a name alone."""


def any_(_: Any) -> bool:
    return True


def asks(method: str, *parts: str) -> Callable[[Any], bool]:
    """Whether a request is of this method and has these parts in its address."""
    return lambda request: request.method == method and all(part in request.path for part in parts)


def send_signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
