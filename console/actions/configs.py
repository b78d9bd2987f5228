"""What people do to a config: run it now, pause it, resume it, have it planned, and change how often it runs."""

from typing import Any

import msgspec

from console.actions.once import CONFIG, Change, Done, NotPossible, act_once
from console.config_fields import FREQUENCY, hours_in
from console.forms import Field, Form, refusal, refuse_too_long
from console.phrases import every
from console.rendering import address
from console.visit import Action, Visit
from shared import log
from shared.acted import Acted
from shared.admit import admit
from shared.errors import InvalidInput, NotOurs, Overtaken, SyncError
from shared.messages import CONSOLE, ManualRequest
from shared.parse import parse
from shared.planning import send_plan
from shared.registration import DAILY
from shared.run import paused

_REASON = Field("reason", "Why", longest=500)


class _Frequency(msgspec.Struct, frozen=True):
    """Hours between runs, and those that the person was shown."""

    hours: str = ""
    shown: str = ""


def find_row(visit: Visit) -> dict[str, Any]:
    """The config's row. Raises `UnknownConfig`."""
    return visit.store.find_config(ManualRequest(config_id=visit.path["config_id"]))


def label(row: dict[str, Any]) -> str:
    """As people are told of a config."""
    return f'config {row["id"]} "{row.get("name") or ""}"'


def page_of(config_id: int) -> str:
    """The config's page."""
    return f"/configs/{config_id}"


def refuse_others(row: dict[str, Any]) -> None:
    """Raises `NotOurs` where the job would not run the config: it is paused, or the older service's."""
    if row.get("is_active") is not True:
        raise NotOurs(f"{label(row)} is {paused(row.get('paused_reason'))}", "resume it first")
    if row.get("migration_status", "job_ready") != "job_ready":
        raise NotOurs(f"the older service loads the table of {label(row)}", "promote it first, when it is proved")


def request_run(row: dict[str, Any], visit: Visit) -> str:
    """Records a run of the config by hand, as a message would, and tells its id, or that of the one that waits already.

    In the action's own transaction: so none is recorded without the action's row, nor a second one for the same form.
    """
    refuse_others(row)
    request_id, body = f"{CONSOLE}/{visit.action_id}", msgspec.json.encode({"config_id": row["id"]})
    visit.store.record_request(request_id, ManualRequest(config_id=row["id"]), body, visit.now)
    heard = visit.store.find_message(request_id)
    return str(heard.run_id if heard else None)


def begin_runs(done: Done, visit: Visit) -> None:
    """Has what was recorded begin, if it has its turn. The sweep does the same where that fails, or we die before."""
    if done.is_new:
        try:
            admit(visit.store, visit.here.publish, visit.settings)
        except SyncError as error:
            log.warning("not_admitted", error_class=error.name, error=str(error))


def reason_field(visit: Visit, what: str) -> Field:
    """The field in which somebody may say why, for `what`."""
    return msgspec.structs.replace(_REASON, value=visit.form.get(_REASON.name, ""), help=what)


def reason_in(visit: Visit) -> str | None:
    """The reason that was filled in, if one was. Raises `FormRefused` for one that is too long."""
    refuse_too_long([_REASON], visit.form)
    return visit.form.get(_REASON.name, "").strip() or None


def _run(visit: Visit) -> str:
    def change() -> Change:
        row = find_row(visit)
        return Change.of_row(row, asked_run_id=request_run(row, visit))

    done = act_once(visit, "run", change)
    begin_runs(done, visit)
    return _done(done.acted.id, visit)


def _run_form(visit: Visit) -> Form:
    row = find_row(visit)
    told = ("It reads the sheet and loads the table now, whatever its schedule says.",)
    refused = refusal(lambda: refuse_others(row))
    return Form(f"Run {label(row)} now", visit.address, "Run now", page_of(row["id"]), told, refused=refused)


def _pause(visit: Visit) -> str:
    def change() -> Change:
        row, reason = find_row(visit), reason_in(visit)
        visit.store.pause_config(row["id"], reason, visit.now)
        return Change.of_row(row, reason=reason)

    return _done(act_once(visit, "pause", change).acted.id, visit)


def _pause_form(visit: Visit) -> Form:
    row = find_row(visit)
    told = ("No new runs start until you resume it. A run already under way finishes.",)
    fields = (reason_field(visit, "Shown wherever the config is, until it is resumed."),)
    return Form(f"Pause {label(row)}", visit.address, "Pause", page_of(row["id"]), told, fields)


def _not_paused(row: dict[str, Any]) -> NotPossible:
    return NotPossible(f"{label(row)} is not paused", "there is nothing to resume")


def _resume(visit: Visit) -> str:
    def change() -> Change:
        row = find_row(visit)
        if not visit.store.resume_config(row["id"]):
            raise _not_paused(row)
        return Change.of_row(row)

    return _done(act_once(visit, "resume", change).acted.id, visit)


def _resume_form(visit: Visit) -> Form:
    row = find_row(visit)
    told = ("Its schedule counts again: if its table is older than that asks for, the next dispatch runs it.",)
    refused = _not_paused(row) if row.get("is_active") is True else None
    return Form(f"Resume {label(row)}", visit.address, "Resume", page_of(row["id"]), told, refused=refused)


def _plan(visit: Visit) -> str:
    def change() -> Change:
        row = find_row(visit)
        return Change.of_row(row, plan_id=visit.store.request_plan(row, row["id"], visit.who, visit.now))

    return begin_plan(act_once(visit, "plan", change).acted, visit)


def begin_plan(acted: Acted, visit: Visit) -> str:
    """The page of the plan that was asked for, whose message goes now: when the form is sent again, too, if launch has
    not heard it yet. Two messages start one execution, and whoever sent the first one may have died before it went.
    """
    plan_id = str(acted.details["plan_id"])
    plan = visit.store.find_plan(plan_id)
    if plan is not None and plan.state == "requested":
        send_plan(plan_id, acted.config_id, visit.store, visit.here.publish_plan)
    return f"/plans/{plan_id}"


def _plan_form(visit: Visit) -> Form:
    row = find_row(visit)
    told = ("The job reads the sheet and tells what a run would load and change. It loads nothing.",)
    return Form(f"Plan a run of {label(row)}", visit.address, "Plan", page_of(row["id"]), told)


def _set_frequency(visit: Visit) -> str:
    def change() -> Change:
        row = find_row(visit)
        asked = parse(_Frequency, visit.form, "the form", InvalidInput)
        hours = hours_in(asked.hours, "hours")
        if asked.shown == _shown(row) and str(hours) == (asked.shown or str(DAILY)):
            raise NotPossible(f"{label(row)} has that frequency already: {_every(row)}", "there is nothing to change")
        if not visit.store.set_frequency(row["id"], asked.shown or None, hours):
            raise Overtaken(
                f"somebody changed the frequency of {label(row)} meanwhile: it is {_every(find_row(visit))} now",
                "nothing was changed: send it again if you still want it otherwise",
            )
        before = asked.shown or str(DAILY)
        return Change.of_row(row, before=before, after=str(hours))

    return _done(act_once(visit, "frequency", change).acted.id, visit)


def _frequency_form(visit: Visit) -> Form:
    row = find_row(visit)
    shown = _shown(row)
    hours = msgspec.structs.replace(FREQUENCY, name="hours", value=visit.form.get("hours", shown or str(DAILY)))
    told = (f"Now: {_every(row)}.",)
    fields = (hours, Field("shown", value=shown, kind="hidden"))
    return Form(f"Change how often {label(row)} runs", visit.address, "Change", page_of(row["id"]), told, fields)


def _shown(row: dict[str, Any]) -> str:
    """The frequency as the form remembers it: as JSON writes it, blank for NULL."""
    hours = row.get("run_frequency_hours")
    return "" if hours is None else msgspec.json.encode(hours).decode()


def _every(row: dict[str, Any]) -> str:
    hours = row.get("run_frequency_hours")
    if hours is None:
        return every(DAILY)
    return every(hours) if isinstance(hours, int) else f"every {hours} h"


def _done(action_id: str, visit: Visit) -> str:
    """The config's page, with what was done."""
    return address(page_of(visit.path["config_id"]), done=action_id)


ACTIONS = (
    Action(f"/configs/{CONFIG}/run", _run, _run_form),
    Action(f"/configs/{CONFIG}/pause", _pause, _pause_form),
    Action(f"/configs/{CONFIG}/resume", _resume, _resume_form),
    Action(f"/configs/{CONFIG}/plan", _plan, _plan_form),
    Action(f"/configs/{CONFIG}/frequency", _set_frequency, _frequency_form),
)
