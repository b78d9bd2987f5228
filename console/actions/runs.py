"""What people do to a run: cancel it, or ask for another one in place of one that came to nothing."""

from typing import Any

from console.actions.configs import begin_runs, page_of, refuse_others, request_run
from console.actions.once import Change, NotPossible, act_once
from console.forms import Form, refusal
from console.phrases import instant
from console.rendering import address
from console.visit import Action, PageMissing, Visit
from shared.messages import ManualRequest
from shared.run import Run
from shared.states import ENDED, IN_FLIGHT

# What another run may mend.
_CAME_TO_NOTHING = ("failed", "cancelled")


def find_run(visit: Visit) -> Run:
    """The run. Raises `PageMissing`."""
    standing = visit.store.find_run(str(visit.path["run_id"]))
    if standing is None:
        raise PageMissing(
            "there is no such run", "it may have been cleaned away: the config's page has those there are"
        )
    return standing.run


def _cancel(visit: Visit) -> str:
    def change() -> Change:
        run = find_run(visit)
        state = visit.store.cancel(run.id, visit.now)
        if state is None:
            raise _ended()
        return Change(run.config_id, run.config_name, run.id, {"state": state})

    acted = act_once(visit, "cancel", change).acted
    return address(_page_of(str(acted.run_id)), done=acted.id)


def _ended() -> NotPossible:
    return NotPossible("the run has ended already", "there is nothing left to cancel")


def _cancel_form(visit: Visit) -> Form:
    run = find_run(visit)
    title, back = f"Cancel the run of {_label(run)}", _page_of(run.id)
    if run.state in ENDED:
        return Form(title, visit.address, "Cancel the run", back, (f"The run is {run.state}.",), refused=_ended())
    if run.state in IN_FLIGHT:
        told = (
            f"The run is {run.state}. The next sweep closes its attempt, within a minute; after that nothing of it can"
            " load any more. Should its load be faster than that, the table has it, and the run succeeds."
        )
    else:
        told = f"The run is {run.state}, and has not begun: it ends at once, without a load."
    lasting = "This cannot be undone. The config's schedule goes on, and you can run it again at any time."
    return Form(title, visit.address, "Cancel the run", back, (told, lasting), lasting=True, leave="Keep it running")


def _retry(visit: Visit) -> str:
    def change() -> Change:
        run = find_run(visit)
        row = _retried(run, visit)
        return Change(run.config_id, row.get("name"), run.id, {"asked_run_id": request_run(row, visit)})

    done = act_once(visit, "retry", change)
    begin_runs(done, visit)
    return address(page_of(int(done.acted.config_id or 0)), done=done.acted.id)


def _retried(run: Run, visit: Visit) -> dict[str, Any]:
    """The row of the config that is to run again. Raises what keeps it from that."""
    if run.state not in _CAME_TO_NOTHING:
        raise NotPossible(f"the run is {run.state}", "only one that failed, or was cancelled, is tried again")
    row = visit.store.find_config(ManualRequest(config_id=run.config_id))
    refuse_others(row)
    return row


def _retry_form(visit: Visit) -> Form:
    run = find_run(visit)
    told = ("It is a new run, of the sheet and of the config as they are now.",)
    refused = refusal(lambda: _retried(run, visit))
    return Form(f"Run {_label(run)} again", visit.address, "Run again", _page_of(run.id), told, refused=refused)


def _label(run: Run) -> str:
    return f'config {run.config_id} "{run.config_name}" for {instant(run.slot)} UTC'


def _page_of(run_id: str) -> str:
    return f"/runs/{run_id}"


ACTIONS = (
    Action("/runs/<uuid:run_id>/cancel", _cancel, _cancel_form),
    Action("/runs/<uuid:run_id>/retry", _retry, _retry_form),
)
