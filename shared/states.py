"""A run's states, and which may follow which; the database refuses every other transition (`sql/schema.sql`).

    pending    recorded, or put back: waits for admission, not before its time
    queued     admitted: its message is published, or about to be
    launching  claimed for an attempt: Cloud Run is asked for an execution
    running    the attempt's execution is known
    succeeded, failed, cancelled: ended, for ever

Who moves a run: admit (queued), launch (launching, running), settle alone out of launching and running; what has
no attempt in flight may also be ended by launch (its config cannot be run) or by a person (cancelled).
"""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

State = Literal["pending", "queued", "launching", "running", "succeeded", "failed", "cancelled"]

# An attempt is open: an execution may exist, and may still load.
IN_FLIGHT: tuple[State, ...] = ("launching", "running")
# Counted by the cap; at most one a config and a table.
ACTIVE: tuple[State, ...] = ("queued", *IN_FLIGHT)
OPEN: tuple[State, ...] = ("pending", *ACTIVE)
ENDED: tuple[State, ...] = ("succeeded", "failed", "cancelled")

TRANSITIONS: Mapping[State, tuple[State, ...]] = {
    "pending": ("queued", "failed", "cancelled"),
    "queued": ("pending", "launching", "failed", "cancelled"),
    "launching": ("pending", "running", *ENDED),
    "running": ("pending", *ENDED),
    "succeeded": (),
    "failed": (),
    "cancelled": (),
}
STATES: tuple[State, ...] = get_args(State)


def listed(words: Iterable[str]) -> str:
    """States, or other words of ours, as SQL lists them."""
    return f"({', '.join(map(repr, words))})"
