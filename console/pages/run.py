"""A run's page: what it came to and why, what it did when, and where to look further."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from console.visit import Page, PageMissing, Visit
from shared.run_facts import RunFacts, find_facts
from shared.states import ENDED

# How soon the page of a run that has not ended looks again, in seconds.
_LIVE = 5


class Part(msgspec.Struct, frozen=True):
    """A part of a run's time: from where to where, as fractions of all of it. `seconds` is None while it goes on."""

    name: str
    kind: str
    begin: float
    length: float
    seconds: float | None
    since: datetime | None = None


class RunPage(msgspec.Struct, frozen=True):
    """The page, at an instant."""

    at: datetime
    facts: RunFacts

    @property
    def live_seconds(self) -> int | None:
        """How soon to look again; None where nothing changes any more."""
        return None if self.facts.run.state in ENDED else _LIVE

    @property
    def is_against_former(self) -> bool:
        """Whether the changes of columns are those since the load before."""
        return bool(self.facts.former and self.facts.former.columns and self.facts.columns)

    @property
    def changed(self) -> dict[str, str]:
        """What became of the columns that the table has now, by name: `new`, or what they were before."""
        return {each.name: each.before or "" for each in self.facts.changes if each.after is not None}

    @property
    def seconds(self) -> float | None:
        """From the newest attempt's claim to the run's end."""
        run = self.facts.run
        return (run.ended_at - run.claimed_at).total_seconds() if run.ended_at and run.claimed_at else None

    @property
    def parts(self) -> list[Part]:
        """What it waited for and what it did, in the order of time, the execution's stages last."""
        return [*self._waits(), *self._stages()]

    @property
    def _whole(self) -> float:
        waits = self.facts.waits
        return max(((waits[-1].until or self.at) - waits[0].since).total_seconds(), 0.001) if waits else 1.0

    def _waits(self) -> Iterable[Part]:
        for wait in self.facts.waits:
            begin = (wait.since - self.facts.waits[0].since).total_seconds() / self._whole
            length = ((wait.until or self.at) - wait.since).total_seconds() / self._whole
            yield Part(wait.name, "wait" if wait.name != "running" else "run", begin, length, wait.seconds, wait.since)

    def _stages(self) -> Iterable[Part]:
        """The execution tells how long each took, one after the other, and ends soon after the last."""
        left = sum(stage.seconds for stage in self.facts.stages)
        for stage in self.facts.stages:
            begin = max(0.0, 1 - left / self._whole)
            yield Part(stage.name, "stage", begin, min(stage.seconds / self._whole, 1.0), stage.seconds)
            left -= stage.seconds


def build(visit: Visit) -> RunPage:
    """Raises `PageMissing` for an id that is nobody's."""
    facts = find_facts(str(visit.path["run_id"]), visit.store)
    if facts is None:
        raise PageMissing("there is no run of this id", "runs that ended long ago are cleaned away")
    return RunPage(visit.now, facts)


PAGE = Page(
    address="/runs/<uuid:run_id>", twin="/runs/<uuid:run_id>.json", template="run.html", title="Run", build=build
)
