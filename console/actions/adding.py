"""Adding a config: a spreadsheet's address is pasted, a plan tells what a run would load, and then it is saved."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from console.actions.configs import begin_plan, page_of
from console.actions.once import Change, NotPossible, act_once
from console.config_fields import (
    DESCRIBED,
    HOURS,
    NAME,
    PROJECT,
    TAB,
    TABLE,
    URL,
    address_beside,
    hours_in,
    problems_by_field,
    refuse,
)
from console.forms import Form, FormRefused, too_long
from console.rendering import address
from console.visit import Action, PageMissing, Visit
from shared.config import Config, examine_config, parse_config
from shared.errors import NameTaken, TableConflict
from shared.ledger.store import Store
from shared.plan import RequestedPlan
from shared.registration import DAILY, parse_frequency, table_name

_REFUSED = "the config cannot be added like that"
_TABLE_HELP = "Left out: made of the name. It is replaced by what the sheet has."
_FIELDS = tuple(
    msgspec.structs.replace(
        field,
        required=field.required and field.name not in (TABLE, HOURS),
        help=_TABLE_HELP if field.name == TABLE else field.help,
    )
    for field in DESCRIBED
)


def save_id(plan_id: str) -> str:
    """The one action that saves a plan's config, whichever page it is asked from."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"save {plan_id}"))


def find_plan(visit: Visit, plan_id: str) -> RequestedPlan:
    """The plan. Raises `PageMissing`."""
    plan = visit.store.find_plan(plan_id)
    if plan is None:
        raise PageMissing("there is no such plan", "it may have been cleaned away: ask for another")
    return plan


def _ask_for_plan(visit: Visit) -> str:
    def change() -> Change:
        candidate = _candidate(visit.form, visit.store)
        plan_id = visit.store.request_plan(candidate, None, visit.who, visit.now)
        return Change(None, candidate[NAME], details={"plan_id": plan_id})

    return begin_plan(act_once(visit, "plan", change).acted, visit)


def _candidate(form: Mapping[str, str], store: Store) -> dict[str, Any]:
    """The columns of the row that the form describes. Raises `FormRefused` that tells all that is wrong."""
    raw: dict[str, Any] = {field.name: form.get(field.name, "").strip() or None for field in _FIELDS}
    raw[URL] = address_beside(raw[TAB], raw[URL])
    raw[TABLE] = raw[TABLE] or table_name(raw[NAME] or "") or None
    problems = too_long(_FIELDS, form)
    try:
        raw[HOURS] = hours_in(raw[HOURS] or str(DAILY), HOURS)
    except FormRefused as refused:
        problems |= refused.problems
    examined = examine_config(raw)
    problems = problems_by_field(examined.problems, raw) | problems
    if not examined.problems:
        problems = conflicts(examined.model, (TABLE, NAME), store) | problems
    refuse(problems, _REFUSED)
    return {name: value for name, value in raw.items() if value is not None}


def conflicts(config: Config, fields: Collection[str], store: Store) -> dict[str, str]:
    """Which of the fields `NAME` and `TABLE` are another config's already."""
    problems: dict[str, str] = {}
    for name, refuse_taken in ((TABLE, store.refuse_taken_table), (NAME, store.refuse_taken_name)):
        try:
            if name in fields:
                refuse_taken(config)
        except (TableConflict, NameTaken) as taken:
            problems[name] = f"cannot be this: {taken.what}"
    return problems


def _save(visit: Visit) -> str:
    plan_id = str(visit.path["plan_id"])

    def change() -> Change:
        plan = find_plan(visit, plan_id)
        if plan.config_id is not None or plan.state != "done":
            raise NotPossible("this plan is none of a new config that would load", "change it, and plan again")
        config = msgspec.structs.replace(parse_config(plan.config), id=None)
        refuse(conflicts(config, (TABLE, NAME), visit.store), _REFUSED)
        hours = parse_frequency(plan.config.get(HOURS))
        config_id = visit.store.add_config(config, DAILY if hours is None else hours)
        return Change(config_id, config.name, details={"plan_id": plan_id})

    acted = act_once(visit, "add", change, save_id(plan_id)).acted
    return address(page_of(int(acted.config_id or 0)), done=acted.id)


def _add_form(visit: Visit) -> Form:
    """The form as it was filled in, or as a plan has it that is to be changed, or empty."""
    values: Mapping[str, Any] = {PROJECT: visit.settings.google_cloud_project, HOURS: DAILY}
    plan_id = visit.asked.get("plan") or visit.path.get("plan_id")
    if plan_id is not None:
        values = asked_plan(visit, str(plan_id)).config
    elif URL in visit.form:
        values = visit.form
    fields = tuple(msgspec.structs.replace(field, value=str(values.get(field.name, field.value))) for field in _FIELDS)
    told = (
        "First the job reads the sheet and tells what it would load: the columns, their types, and what to look at."
        " Nothing is saved, and nothing is loaded, before you have seen that.",
    )
    return Form("Add a config", "/plans", "Plan it", "/", told, fields)


def asked_plan(visit: Visit, plan_id: str) -> RequestedPlan:
    """The plan that an address names by whatever stands there. Raises `PageMissing`."""
    try:
        return find_plan(visit, str(uuid.UUID(plan_id)))
    except ValueError:
        raise PageMissing("there is no such plan", "ask for another") from None


ACTIONS = (
    Action("/plans", _ask_for_plan, _add_form, asked_at="/add"),
    # Where it cannot be saved any more, the form to change it.
    Action("/plans/<uuid:plan_id>/save", _save, _add_form),
)
