"""A run's page: what it came to and why, what it did when, and where to look further."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from console.phrases import number
from console.visit import Page, PageMissing, Visit
from shared.counted import counted
from shared.run_facts import RunFacts, Stage, find_facts
from shared.states import ENDED

# How soon the page of a run that has not ended looks again, in seconds.
_LIVE = 5
_STAYED = "The table stayed as it was."


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
    def after_error(self) -> str:
        """What became of the run, and of the table, after the error that it tells."""
        run = self.facts.run
        if run.in_flight:
            return "It is tried again."
        if run.ended_at is None:
            return f"It is tried again. {_STAYED}"
        if run.state == "cancelled":
            return _STAYED
        if run.permanent:
            return f"{_STAYED} Trying again would not have helped: something has to be changed first."
        return f"{_STAYED} It was tried {counted(run.attempt, 'time')}." if run.attempt else _STAYED

    @property
    def attempts(self) -> str:
        """How many there were, in words that tell those that failed."""
        run = self.facts.run
        if not run.failures:
            return number(run.attempt)
        if run.failures >= run.attempt:
            return f"{number(run.attempt)}, which failed" if run.attempt == 1 else f"{number(run.attempt)}, all failed"
        return f"{number(run.attempt)}, of which {number(run.failures)} failed"

    @property
    def requests(self) -> str | None:
        """How many went to Google's APIs for the sheet, and how many of them the Sheets quota counts."""
        run = self.facts.run
        if run.requests is None or run.sheet_reads is None:
            return None if run.requests is None else number(run.requests)
        if run.requests == run.sheet_reads == 1:
            return "1, which the Sheets quota counts"
        return f"{number(run.requests)}, of which the Sheets quota counts {number(run.sheet_reads)}"

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
        """The execution tells how long each took, one after the other, and ends soon after the last. What it took
        before them, it took to start.
        """
        stages = self.facts.stages
        left = sum(stage.seconds for stage in stages)
        running = next((wait.seconds for wait in self.facts.waits if wait.name == "running"), None)
        if stages and running is not None and running > left:
            stages, left = (Stage("start", round(running - left, 1)), *stages), running
        for stage in stages:
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
