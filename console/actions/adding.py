"""Adding a config: a spreadsheet's address is pasted, a plan tells what a run would load, and then it is saved."""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from console.actions.configs import hours_in, page_of
from console.actions.once import Change, NotPossible, act_once
from console.forms import Field, Form, FormRefused
from console.rendering import address
from console.visit import Action, PageMissing, Visit
from shared.config import Config, examine_config, parse_config
from shared.errors import NameTaken, TableConflict
from shared.ledger.store import Store
from shared.plan import RequestedPlan
from shared.planning import send_plan
from shared.registration import DAILY, parse_frequency, table_name

_URL, _TAB, _PROJECT, _DATASET = (
    "google_sheet_url",
    "google_sheet_tab_name",
    "google_cloud_project_id",
    "bigquery_dataset_id",
)
_NAME, _TABLE, _HOURS = "name", "bigquery_table_id", "run_frequency_hours"
_FIELDS = (
    Field(
        _URL,
        "Address of the spreadsheet",
        help="Open it in the browser, and copy what stands above. The tab that is open is the one that is loaded.",
        required=True,
    ),
    Field(_TAB, "Tab", help="Its name; left out: the tab in the address, or else the first one.", longest=255),
    Field(_PROJECT, "Google Cloud project", required=True, longest=255),
    Field(_DATASET, "BigQuery dataset", help="It is made if it is not there.", required=True, longest=1024),
    Field(_NAME, "Name of the config", help="As people will ask for it.", required=True, longest=255),
    Field(
        _TABLE, "BigQuery table", help="Left out: made of the name. It is replaced by what the sheet has.", longest=1024
    ),
    Field(
        _HOURS,
        "Hours between runs",
        str(DAILY),
        "24 is every day, 168 every week; 0: by hand alone.",
        kind="number",
    ),
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
        return Change(None, candidate[_NAME], details={"plan_id": plan_id})

    done = act_once(visit, "plan", change)
    plan_id = str(done.acted.details["plan_id"])
    if done.is_new:
        send_plan(plan_id, None, visit.store, visit.here.publish_plan)
    return f"/plans/{plan_id}"


def _candidate(form: Mapping[str, str], store: Store) -> dict[str, Any]:
    """The columns of the row that the form describes. Raises `FormRefused` that tells all that is wrong."""
    raw: dict[str, Any] = {field.name: form.get(field.name, "").strip() or None for field in _FIELDS}
    raw[_TABLE] = raw[_TABLE] or table_name(raw[_NAME] or "") or None
    problems: dict[str, str] = {}
    try:
        raw[_HOURS] = hours_in(raw[_HOURS] or "", _HOURS)
    except FormRefused as refused:
        problems |= refused.problems
    examined = examine_config(raw)
    for sentence in examined.problems:
        name, _, told = sentence.partition(" ")
        problems.setdefault(name, told)
    if not examined.problems:
        problems = _conflicts(examined.model, store) | problems
    _refuse(problems)
    return {name: value for name, value in raw.items() if value is not None}


def _conflicts(config: Config, store: Store) -> dict[str, str]:
    """Which fields are another config's already."""
    problems: dict[str, str] = {}
    for name, refuse_taken in ((_TABLE, store.refuse_taken_table), (_NAME, store.refuse_taken_name)):
        try:
            refuse_taken(config)
        except (TableConflict, NameTaken) as taken:
            problems[name] = f"cannot be this: {taken.what}"
    return problems


def _refuse(problems: Mapping[str, str]) -> None:
    if problems:
        raise FormRefused("the config cannot be added like that", "correct what is marked, and send it again", problems)


def _save(visit: Visit) -> str:
    plan_id = str(visit.path["plan_id"])

    def change() -> Change:
        plan = find_plan(visit, plan_id)
        if plan.config_id is not None or plan.state != "done":
            raise NotPossible("this plan is none of a new config that would load", "change it, and plan again")
        config = msgspec.structs.replace(parse_config(plan.config), id=None)
        _refuse(_conflicts(config, visit.store))
        hours = parse_frequency(plan.config.get(_HOURS))
        config_id = visit.store.add_config(config, DAILY if hours is None else hours)
        return Change(config_id, config.name, details={"plan_id": plan_id})

    acted = act_once(visit, "add", change, save_id(plan_id)).acted
    return address(page_of(int(acted.config_id or 0)), done=acted.id)


def _add_form(visit: Visit) -> Form:
    """The form as it was filled in, or as a plan has it that is to be changed, or empty."""
    values: Mapping[str, Any] = {_PROJECT: visit.settings.google_cloud_project}
    plan_id = visit.asked.get("plan") or visit.path.get("plan_id")
    if plan_id is not None:
        values = _of_plan(visit, str(plan_id))
    elif _URL in visit.form:
        values = visit.form
    fields = tuple(
        msgspec.structs.replace(field, value=str(values.get(field.name, "" if values is visit.form else field.value)))
        for field in _FIELDS
    )
    told = (
        "First the job reads the sheet and tells what it would load: the columns, their types, and what to look at."
        " Nothing is saved, and nothing is loaded, before you have seen that.",
    )
    return Form("Add a config", "/plans", "Plan it", "/", told, fields)


def _of_plan(visit: Visit, plan_id: str) -> Mapping[str, Any]:
    try:
        return find_plan(visit, str(uuid.UUID(plan_id))).config
    except ValueError:
        raise PageMissing("there is no such plan", "ask for another") from None


ACTIONS = (
    Action("/plans", _ask_for_plan, _add_form, asked_at="/add"),
    # Where it cannot be saved any more, the form to change it.
    Action("/plans/<uuid:plan_id>/save", _save, _add_form),
)
