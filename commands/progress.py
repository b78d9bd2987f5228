"""Following what goes on elsewhere until it has ended: a live table at a terminal, a line per change otherwise."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from commands.screen import Screen, printable
from shared import states

ENDED = frozenset({*states.ENDED, "refused", "unknown"})

# A terminal has about this many lines to spare; the rest is in the count above them.
_SHOWN = 12
# Often enough to be lively, seldom enough for a large batch to cost the database little.
_PAUSE, _LONG_PAUSE = 1.0, 5.0
_MANY = 200


class WaitedLongEnough(Exception):
    """The time that the person gave for waiting is over; what was followed goes on."""


class Step(msgspec.Struct, frozen=True):
    """One thing that is followed: a run, a request, or an execution. `told` says more, for example why it failed."""

    key: str
    name: str
    state: str
    told: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def follow(look: Callable[[], Sequence[Step]], screen: Screen, seconds: float | None = None) -> Sequence[Step]:
    """Shows what `look` sees until all of it has ended, and returns it.

    Raises `WaitedLongEnough` after `seconds`, and what `look` raises.
    """
    begun = time.monotonic()
    told: dict[str, str] = {}
    terminal = screen.progress.is_terminal and not screen.progress.is_dumb_terminal  # which shows nothing that moves
    with Live(console=screen.progress, transient=True, auto_refresh=terminal) as live:
        while True:
            steps = look()
            since = time.monotonic() - begun
            if terminal:
                live.update(_picture(steps, since))
            else:
                tell_changes(steps, told, since, screen)
            if all(step.ended for step in steps):
                return steps
            if seconds is not None and since >= seconds:
                raise WaitedLongEnough
            pause = pause_for(len(steps))
            time.sleep(pause if seconds is None else max(0.0, min(pause, seconds - since)))


def pause_for(steps: int) -> float:
    """Seconds between two looks at so many."""
    return _LONG_PAUSE if steps > _MANY else _PAUSE


def _picture(steps: Sequence[Step], since: float) -> Group:
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
    open_steps = sorted((step for step in steps if not step.ended), key=lambda step: step.state == "pending")
    for step in open_steps[:_SHOWN]:
        table.add_row(Text(printable(step.name)), Text(step.state, style="cyan"), Text(printable(step.told), "dim"))
    return Group(Spinner("dots", text=Text(_summary(steps, since))), table)


def _summary(steps: Sequence[Step], since: float) -> str:
    """`3 of 10 ended · 1 failed · 42 s`"""
    counts = Counter(step.state for step in steps if step.ended)
    parts = [f"{counts.total()} of {len(steps)} ended"]
    parts += [f"{count} {state}" for state, count in sorted(counts.items()) if state != "succeeded"]
    return " · ".join([*parts, f"{since:.0f} s"])


def tell_changes(steps: Sequence[Step], told: dict[str, str], since: float, screen: Screen) -> None:
    """A line for each step that is not as it was told before; `told` remembers."""
    for step in steps:
        now = f"{step.state} ({step.told})" if step.told else step.state
        if told.get(step.key) != now:
            told[step.key] = now
            screen.note(f"{since:6.1f} s  {step.name}: {now}")
