"""Which faults strike in which round, by seed."""

import random
from collections.abc import Sequence

from tests.faults.nemesis import (
    bigquery,
    clocks,
    cloud_run,
    deployment,
    messages,
    notices,
    people,
    postgres,
    processes,
    sheets,
    staying,
)
from tests.faults.nemesis.fault import FAULTS, Fault

# Each adds its own to the list.
KINDS = (messages, deployment, cloud_run, bigquery, sheets, postgres, processes, people, notices, staying, clocks)
ALL: Sequence[Fault] = FAULTS


def plan(seed: int, rounds: int) -> list[list[Fault]]:
    """Every fault once, in an order by seed, spread over the rounds."""
    shuffled = sorted(ALL, key=str)
    random.Random(seed).shuffle(shuffled)
    return [shuffled[number::rounds] for number in range(rounds)]


def chosen(seed: int, only: Sequence[str], times: int) -> list[list[Fault]]:
    """One round of the faults whose names have one of these texts, so often, in an order by seed."""
    faults = [fault for fault in ALL if any(text in str(fault) for text in only)] * times
    random.Random(seed).shuffle(faults)
    return [faults]
