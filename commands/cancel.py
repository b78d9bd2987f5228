"""`job_helper.py cancel`: a person's wish that a run ends without a load.

What waits ends at once. An attempt in flight is closed by the next sweep, within a minute: only that has the
identity to take the attempt's BigQuery job id, after which no execution can load any more, and to cancel the
execution. The wish is kept with the run, so that nothing of this hangs on the command, or on a message.
"""

from collections.abc import Mapping

from commands.actor import act
from commands.exits import FAILED, INTERRUPTED, SUCCEEDED, TIMED_OUT
from commands.ledger import Ledger
from commands.progress import WaitedLongEnough, follow
from commands.runs import draw_runs, find_run, short_id, step_of
from commands.screen import Screen
from shared.ledger.store import Store, open_store
from shared.run import Run
from shared.settings import read_database
from shared.states import State


def cancel_run(wanted: str, wait: bool, seconds: float | None, environ: Mapping[str, str], screen: Screen) -> int:
    """Cancels one run and waits for its end, `seconds` at most; 1 where it ended otherwise."""
    database = read_database(environ)
    with open_store(database) as store:
        run = find_run(wanted, store)
        state = _cancel(run, store)
    if state in ("launching", "running"):
        screen.note(f"{short_id(run.id)} {run.config_name} is {state}: the next sweep ends it, within a minute")
        if not wait:
            screen.json(run)
            return SUCCEEDED
    with Ledger(lambda: open_store(database), screen) as ledger:
        return _wait(run, seconds, ledger, screen)


def _cancel(run: Run, store: Store) -> State | None:
    """The run's state then; None where it had ended."""

    def change() -> dict[str, State] | None:
        state = store.cancel(run.id, store.now())
        return {"state": state} if state else None

    cancelled = act("cancel", change, store, run.config_id, run.config_name, run.id)
    return cancelled["state"] if cancelled else None


def _wait(run: Run, seconds: float | None, ledger: Ledger, screen: Screen) -> int:
    def look() -> Run:
        standing = ledger.ask(lambda store: store.find_run(run.id))
        return standing.run if standing else run

    try:
        follow(lambda: [step_of(look())], screen, seconds)
    except WaitedLongEnough:
        screen.trouble(f"it has not ended after {seconds:g} s; the wish stays: `python job_helper.py runs` shows it")
        return TIMED_OUT
    except KeyboardInterrupt:
        screen.trouble("the wish stays: `python job_helper.py runs` shows what becomes of it")
        return INTERRUPTED
    after = look()
    draw_runs([after], screen)
    screen.json(after)
    if after.state == "cancelled":
        return SUCCEEDED
    screen.trouble(f"it was not cancelled: it had {after.state} first")
    return FAILED
