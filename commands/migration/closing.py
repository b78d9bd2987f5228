"""Closing what is open of configs that go back: what waits ends, what is in flight loses its BigQuery job id."""

import time
from collections.abc import Sequence
from typing import Literal

import msgspec

from commands.runs import short_id
from shared.errors import DatabaseUnavailable, ServiceUnavailable, SyncError
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.run import Run
from shared.settle import settle
from shared.states import IN_FLIGHT
from shared.wiring import Wiring

# BigQuery ends a load in seconds.
_PAUSE = 1.0


class Closing(msgspec.Struct, frozen=True):
    """What became of an open run. `cancelled`: it loads nothing any more. `loaded`: its load was faster, and the table
    is that load's. `ended`: in another way, without a load. `open`: nobody knows yet, and `told` says why."""

    config_id: int
    run_id: str
    became: Literal["cancelled", "loaded", "ended", "open"]
    told: str

    @property
    def line(self) -> str:
        return f"run {short_id(self.run_id)} {self.told}"


def close_runs(open_runs: Sequence[Run], store: Store, wiring: Wiring, seconds: float) -> list[Closing]:
    """Ends every one of the runs, and waits so long for loads that BigQuery is at.

    Doing it again goes on where it stopped. One that cannot be closed now keeps no other from being closed.
    """
    flying: list[Run] = []
    closed: list[Closing] = []
    for run in open_runs:
        # Also of what is claimed at this very moment: the wish waits for that, and finds it in flight.
        if store.cancel(run.id, store.now()) in IN_FLIGHT:
            flying.append(run)
        else:
            closed.append(_as_it_ended(run, store))
    failpoint("migrate.after_wish")
    until = time.monotonic() + seconds
    while flying:
        done, flying = _look(flying, store, wiring)
        closed += done
        if flying and time.monotonic() >= until:
            told = f"is open: BigQuery is at its load, still after {seconds:g} s"
            return closed + [Closing(run.config_id, run.id, "open", told) for run in flying]
        if flying:
            time.sleep(_PAUSE)
    return closed


def _look(flying: Sequence[Run], store: Store, wiring: Wiring) -> tuple[list[Closing], list[Run]]:
    """Settles each, and gives those that BigQuery is at. Where Google does not answer, the rest is not asked for."""
    done: list[Closing] = []
    going: list[Run] = []
    for position, run in enumerate(flying):
        try:
            closing = _settle(run, store, wiring)
        except ServiceUnavailable as error:
            told = f"is open: {error.what}"
            return done + [Closing(each.config_id, each.id, "open", told) for each in (*going, *flying[position:])], []
        if closing is None:
            going.append(run)
        else:
            done.append(closing)
        failpoint("migrate.after_close")
    return done, going


def _settle(run: Run, store: Store, wiring: Wiring) -> Closing | None:
    """What became of a run that was wished to end; None while BigQuery is at its load."""
    standing = store.find_run(run.id)
    if standing is None:  # its config and the run were cleaned away
        return Closing(run.config_id, run.id, "ended", "is gone")
    try:
        settled = settle(standing.run, store, wiring.bigquery, wiring.executions, wiring.settings)
    except (DatabaseUnavailable, ServiceUnavailable):
        raise
    except SyncError as error:
        return Closing(run.config_id, run.id, "open", f"is open: {error}")
    return None if settled == "open" else _as_it_ended(run, store)


def _as_it_ended(run: Run, store: Store) -> Closing:
    standing = store.find_run(run.id)
    state = standing.run.state if standing else "cancelled"
    if state == "succeeded":
        return Closing(run.config_id, run.id, "loaded", "was faster: the table is as that load left it")
    if state == "cancelled":
        return Closing(run.config_id, run.id, "cancelled", "is closed: nothing of it can load any more")
    return Closing(run.config_id, run.id, "ended", f"has {state}")
