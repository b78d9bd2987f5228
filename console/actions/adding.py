"""Adding a config: a spreadsheet's address is pasted, a plan tells what a run would load, and then it is saved."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from console.actions.configs import begin_plan, page_of
from console.actions.once import Change, NotPossible, act_once
from console.config_fields import DATASET, FREQUENCY, HOURS, NAME, PROJECT, TABLE, URL, problems_by_field, refuse
from console.edited import changes_of, fields_of, fill_in, texts
from console.forms import Field, Form, too_long
from console.rendering import address
from console.visit import Action, PageMissing, Visit
from shared.config import Config, examine_config, parse_config
from shared.errors import NameTaken, TableConflict
from shared.ledger.store import Store
from shared.plan import RequestedPlan
from shared.registration import DAILY, parse_frequency, table_name

_REFUSED = "the config cannot be added like that"
# What may be left out, and what is made of that.
_LEFT_OUT = {
    TABLE: "Left out: made of the name. It is replaced by what the sheet has.",
    HOURS: f"Left out: every day. {FREQUENCY.help}",
}


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
    fields = fields_of({})
    told = {field.name: form.get(field.name, field.value) for field in fields}
    told[TABLE] = told[TABLE].strip() or table_name(told[NAME].strip())
    told[HOURS] = told[HOURS].strip() or str(DAILY)
    row, problems = changes_of({}, told)
    examined = examine_config(row)
    problems = problems_by_field(examined.problems, told) | too_long(fields, form) | problems
    if not examined.problems:
        problems = conflicts(examined.model, (TABLE, NAME), store) | problems
    refuse(problems, _REFUSED)
    return row


def conflicts(config: Config, fields: Collection[str], store: Store) -> dict[str, str]:
    """Which of the fields `NAME` and `TABLE` are another config's already."""
    problems: dict[str, str] = {}
    for name, refuse_taken in ((TABLE, store.refuse_taken_table), (NAME, store.refuse_taken_name)):
        try:
            if name in fields:
                refuse_taken(config)
        except (TableConflict, NameTaken) as taken:
            problems[name] = taken.what
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
        hours = DAILY if hours is None else hours
        config_id = visit.store.add_config(config, hours)
        return Change(config_id, config.name, details={"plan_id": plan_id, "hours": hours})

    acted = act_once(visit, "add", change, save_id(plan_id)).acted
    return address(page_of(int(acted.config_id or 0)), done=acted.id)


def _add_form(visit: Visit) -> Form:
    """The form as it was filled in, or as a plan has it that is to be changed, or begun."""
    plan_id = visit.asked.get("plan") or visit.path.get("plan_id")
    fields = fields_of(asked_plan(visit, str(plan_id)).config if plan_id is not None else {})
    known = _in_use(visit)
    if plan_id is None:
        fields = fill_in(fields, visit.form if URL in visit.form else _begun(known))
    usual = texts({})
    told = (
        "First the job reads the sheet and tells what it would load: the columns, their types, and what to look at."
        " Nothing is saved, and nothing is loaded, before you have seen that.",
    )
    return Form(
        "Add a config",
        "/plans",
        "Plan it",
        "/",
        told,
        tuple(_offered(field, known) for field in fields),
        opened=tuple({field.group for field in fields if field.group and field.value != usual.get(field.name)}),
        share_with=visit.here.console.share_with or "",
    )


def _in_use(visit: Visit) -> dict[str, list[str]]:
    """The projects and the datasets that other configs have, the most usual first; our project where there are none."""
    used = visit.store.datasets_in_use()
    projects = dict.fromkeys(project for project, _ in used)
    datasets = dict.fromkeys(dataset for _, dataset in used)
    return {PROJECT: list(projects) or [visit.settings.google_cloud_project], DATASET: list(datasets)}


def _begun(known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What stands in the empty form: what all others have, and no hours, so that a browser suggests them all."""
    return {HOURS: "", **{name: values[0] if len(values) == 1 else "" for name, values in known.items()}}


def _offered(field: Field, known: Mapping[str, Sequence[str]]) -> Field:
    """The field as this form has it: with what may be left out, and what other configs have there."""
    if field.name in _LEFT_OUT:
        return msgspec.structs.replace(field, required=False, help=_LEFT_OUT[field.name])
    if len(values := known.get(field.name, ())) > 1:
        return msgspec.structs.replace(field, suggestions=tuple((each, "") for each in values))
    return field


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
