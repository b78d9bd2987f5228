"""Editing a config: what people filled in is checked, planned if they wish, and saved against what they were shown."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from console.actions.adding import asked_plan, conflicts, find_plan, save_id
from console.actions.configs import begin_plan, find_row, label, page_of
from console.actions.once import CONFIG, Change, NotPossible, act_once
from console.config_fields import NAME, OPTIONS, TABLE, problems_by_field, refuse
from console.edited import changes_of, digests, fields_of, fill_in, texts, unlike
from console.forms import Field, Form, FormOvertaken, refuse_too_long, tidy
from console.rendering import address
from console.visit import Action, PageMissing, Visit
from shared.config import Config, examine_config
from shared.errors import Overtaken, TableConflict
from shared.ledger.config_statements import EDITABLE
from shared.messages import ManualRequest
from shared.options import Options
from shared.states import IN_FLIGHT

_SHOWN = "shown"
# Beside the fields, of what was shown: whose the config's table is.
_OWNER = "owner"
_REFUSED = "the config cannot be changed like that"
_DESTINATION = ("google_cloud_project_id", "bigquery_dataset_id", TABLE)
# What is told of a value that somebody else wrote meanwhile.
_LONGEST_TOLD = 200


class _Wanted(msgspec.Struct, frozen=True):
    """What a person wants of a config: `told` are the texts of the fields, `shown` the digests of those there were."""

    told: Mapping[str, str]
    shown: str


class _Edit(msgspec.Struct, frozen=True):
    """An edit that can be saved: the row as it is, the columns to change, and the config that they make of it."""

    row: dict[str, Any]
    changes: dict[str, Any]
    config: Config

    @property
    def candidate(self) -> dict[str, Any]:
        """The row as it would be."""
        return self.row | self.changes


def _save(visit: Visit) -> str:
    def change() -> Change:
        row = find_row(visit)
        return _apply(_examined(row, _sent(row, visit), visit), visit)

    acted = act_once(visit, "edit", change).acted
    return address(page_of(int(acted.config_id or 0)), done=acted.id)


def _plan(visit: Visit) -> str:
    def change() -> Change:
        row = find_row(visit)
        edit = _examined(row, _sent(row, visit), visit)
        before = {column: row.get(column) for column in EDITABLE}
        plan_id = visit.store.request_plan(edit.candidate, row["id"], visit.who, visit.now, before)
        return Change.of_row(edit.candidate, plan_id=plan_id)

    return begin_plan(act_once(visit, "plan", change).acted, visit)


def _save_planned(visit: Visit) -> str:
    plan_id = str(visit.path["plan_id"])

    def change() -> Change:
        plan = find_plan(visit, plan_id)
        if plan.edited_from is None or plan.state != "done":
            raise NotPossible("this plan is none of an edit that would load", "change it, and plan again")
        row = _row_of(visit)
        edit = _examined(row, _planned(plan.edited_from, plan.config), visit)
        return _apply(edit, visit, plan_id=plan_id)

    acted = act_once(visit, "edit", change, save_id(plan_id)).acted
    return address(page_of(int(acted.config_id or 0)), done=acted.id)


def _apply(edit: _Edit, visit: Visit, **details: str) -> Change:
    """Saves it. Raises `Overtaken` where the row has changed since it was looked at."""
    shadow = _shadow(edit.config, edit.row, visit)
    if not visit.store.edit_config(edit.config, edit.row, edit.changes, visit.who, shadow):
        raise Overtaken(f"somebody changed {label(edit.row)} at this moment", "nothing was saved: send it again")
    changed = {column: {"before": edit.row.get(column), "after": after} for column, after in edit.changes.items()}
    return Change.of_row(edit.candidate, changed=changed, **details)


def _examined(row: dict[str, Any], wanted: _Wanted, visit: Visit) -> _Edit:
    """The edit. Raises `FormOvertaken`, `FormRefused` that tells all that is wrong, and `NotPossible` where nothing
    is changed."""
    now = texts(row)
    if moved := unlike(wanted.shown, now | _owner(row)):
        what, mark = (f"the owner of the table of {label(row)}", "told") if _OWNER in moved else (label(row), "marked")
        raise FormOvertaken(
            f"somebody changed {what} meanwhile, and nothing was saved",
            f"look at what is {mark}, and send it again if you still want it as it stands here",
            {name: f"was changed meanwhile, and is {_quoted(now[name])} now" for name in moved if name in now},
        )
    changes, problems = changes_of(row, wanted.told)
    examined = examine_config(row | changes)
    problems = problems_by_field(examined.problems, now) | problems
    if not examined.problems:
        problems = _conflicts(examined.model, row, changes, visit) | problems
    refuse(problems, _REFUSED)
    if not changes:
        raise NotPossible(f"{label(row)} is like that already", "there is nothing to change")
    return _Edit(row, changes, examined.model)


def _conflicts(config: Config, row: Mapping[str, Any], changes: Collection[str], visit: Visit) -> dict[str, str]:
    """Which fields are another config's. What is not changed was so before."""
    is_moved = any(column in changes for column in _DESTINATION)
    fields = [name for name, is_changed in ((TABLE, is_moved), (NAME, NAME in changes)) if is_changed]
    problems = conflicts(config, fields, visit.store)
    if is_moved and (shadow := _shadow(config, row, visit)):
        try:
            visit.store.refuse_anothers_table(shadow)
        except TableConflict as taken:
            problems[TABLE] = taken.what
    return problems


def _shadow(config: Config, row: Mapping[str, Any], visit: Visit) -> Config | None:
    """What is loaded beside the older service; None where nothing is."""
    return config.shadow(visit.settings.shadow_suffix) if row.get("migration_status") == "shadow" else None


def _owner(row: Mapping[str, Any]) -> dict[str, str]:
    """Whose the table of the config is, as far as it matters to who edits it."""
    return {_OWNER: "job" if row.get("migration_status", "job_ready") == "job_ready" else "service"}


def _sent(row: Mapping[str, Any], visit: Visit) -> _Wanted:
    """By the form that was sent. Raises `FormRefused` for what was made too long in it."""
    wanted = _filled_in(row, visit)
    touched = [field for field in fields_of(row) if tidy(wanted.told[field.name]) != tidy(field.value)]
    refuse_too_long(touched, wanted.told)
    return wanted


def _filled_in(row: Mapping[str, Any], visit: Visit) -> _Wanted:
    """By the form that was sent, whatever it holds."""
    told = {name: visit.form.get(name, text) for name, text in texts(row).items()}
    return _Wanted(told, visit.form.get(_SHOWN, ""))


def _planned(before: Mapping[str, Any], after: Mapping[str, Any]) -> _Wanted:
    """By a plan of an edit."""
    return _Wanted(texts(after), digests(texts(before) | _owner(after)))


def _edit_form(visit: Visit) -> Form:
    """The form as the config is; or as it was filled in, or planned, with what somebody else changed meanwhile."""
    row = _row_of(visit)
    fields = fields_of(row)
    now = {field.name: field.value for field in fields}
    told = _merged(_unsaved(row, visit), now)
    here = page_of(row["id"])
    asked = visit.asked.get("field")
    if asked in Options.__struct_fields__ and asked not in now:  # its row has options that only their JSON can show
        asked = OPTIONS
    opened = {each.group for each in fields if each.name == asked or told[each.name] != each.value}
    return Form(
        f"Edit {label(row)}",
        f"{here}/edit",
        "Save",
        here,
        tuple(_told(row, visit)),
        (*fill_in(map(_helped, fields), told), Field(_SHOWN, value=digests(now | _owner(row)), kind="hidden")),
        other=("Plan it first", f"{here}/edit/plan"),
        opened=tuple(sorted(opened)),
    )


def _row_of(visit: Visit) -> dict[str, Any]:
    """The row of the config that the address names, or the plan there. Raises `UnknownConfig`, and `PageMissing`."""
    if "config_id" in visit.path:
        return find_row(visit)
    plan = find_plan(visit, str(visit.path["plan_id"]))
    if plan.config_id is None:
        raise PageMissing("this plan is none of an edit", "its page has what can be done with it")
    return visit.store.find_config(ManualRequest(config_id=plan.config_id))


def _unsaved(row: Mapping[str, Any], visit: Visit) -> _Wanted | None:
    """What was sent, or planned; None where somebody begins."""
    if _SHOWN in visit.form:
        return _filled_in(row, visit)
    plan_id = visit.asked.get("plan") or visit.path.get("plan_id")
    plan = asked_plan(visit, str(plan_id)) if plan_id is not None else None
    if plan is None or plan.edited_from is None or plan.config_id != row["id"]:
        return None
    return _planned(plan.edited_from, plan.config)


def _merged(wanted: _Wanted | None, now: Mapping[str, str]) -> dict[str, str]:
    """What the person changed stays as they have it; the rest is as it is now."""
    if wanted is None:
        return dict(now)
    own = unlike(wanted.shown, wanted.told)
    return {name: wanted.told[name] if name in own and name in wanted.told else text for name, text in now.items()}


def _helped(field: Field) -> Field:
    if field.name != TABLE:
        return field
    return msgspec.structs.replace(field, help=f"{field.help} Where you change it, the former one stays as it is.")


def _told(row: Mapping[str, Any], visit: Visit) -> Iterable[str]:
    """What saving does, and does not do."""
    yield "Nothing is loaded by saving: the next run goes by it, and so does one that waits."
    if visit.here.console.share_with:
        yield f"Another spreadsheet has to be shared as Viewer with `{visit.here.console.share_with}` first."
    if any(run.state in IN_FLIGHT for run in visit.store.open_runs([row["id"]])):
        yield "A run is in flight: it goes on with the config as that was when it began."
    if _owner(row)[_OWNER] != "job":
        yield (
            "The older service loads the table of this config, by what the portal's messages say, and not by what is"
            " saved here: change it at the portal, too. What was compared before proves nothing of another sheet or"
            " table."
        )


def _quoted(text: str) -> str:
    shown = text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"
    return f'"{shown}"' if shown else "blank"


ACTIONS = (
    Action(f"/configs/{CONFIG}/edit", _save, _edit_form),
    Action(f"/configs/{CONFIG}/edit/plan", _plan, _edit_form),
    # Where it cannot be saved any more, the form to change it.
    Action("/plans/<uuid:plan_id>/apply", _save_planned, _edit_form),
)
