"""What can be done on a page, as its buttons and links, and what was done there lately."""

from typing import Any

import msgspec

from console.actions.adding import save_id
from console.actions.configs import page_of, refuse_others
from console.actions.owners import promotable, returnable
from console.forms import refusal
from console.rendering import address
from console.visit import Visit
from shared.acted import Acted
from shared.errors import UnknownConfig
from shared.messages import ManualRequest
from shared.owner import TAKEN_FROM_SERVICE
from shared.plan import RequestedPlan
from shared.run import Run
from shared.states import ENDED

_LATELY = 5


class Offer(msgspec.Struct, frozen=True):
    """One thing to do: at once, by a button that sends a form to `address`, or, if it `asks` first, on a page there."""

    label: str
    address: str
    asks: bool = False
    is_main: bool = False


class Offers(msgspec.Struct, frozen=True):
    """What can be done, in the order of the page, and what was done to the config lately, newest first."""

    offers: tuple[Offer, ...] = ()
    lately: tuple[Acted, ...] = ()


def offered(visit: Visit) -> Offers:
    """By the page's address: of a config, a run or a plan. Who may not act is offered nothing."""
    if "config_id" in visit.path:
        return _of_config(visit)
    if not visit.may_act:
        return Offers()
    if "run_id" in visit.path:
        return Offers(tuple(_of_run(visit)))
    return Offers(tuple(_of_plan(visit))) if "plan_id" in visit.path else Offers()


def _of_config(visit: Visit) -> Offers:
    config_id = visit.path["config_id"]
    lately = tuple(visit.store.actions_of(config_id, _LATELY))
    if not visit.may_act:
        return Offers(lately=lately)
    row = visit.store.find_config(ManualRequest(config_id=config_id))
    here, runs = page_of(config_id), visit.store.open_runs([config_id])
    offers = [Offer("Run now", f"{here}/run", is_main=True)] if _can_run(row) else []
    offers.append(Offer("Plan", f"{here}/plan"))
    offers += [_cancel(run, _cancel_label(run, runs)) for run in runs if run.cancel_requested_at is None]
    offers.append(Offer("Edit", f"{here}/edit", asks=True))
    offers.append(Offer("Change frequency", f"{here}/frequency", asks=True))
    offers.append(Offer("Pause", f"{here}/pause", asks=True) if row["is_active"] else Offer("Resume", f"{here}/resume"))
    return Offers((*offers, *_of_owner(row, here, visit)), lately)


def _of_owner(row: dict[str, Any], here: str, visit: Visit) -> list[Offer]:
    """While a team moves: whose the table can be next."""
    if row.get("migration_status") not in TAKEN_FROM_SERVICE or refusal(lambda: returnable(row, visit)):
        return []
    promote = [] if refusal(lambda: promotable(row, visit)) else [Offer("Promote", f"{here}/promote", asks=True)]
    return [*promote, Offer("Roll back", f"{here}/rollback", asks=True)]


def _of_run(visit: Visit) -> list[Offer]:
    standing = visit.store.find_run(str(visit.path["run_id"]))
    if standing is None:
        return []
    run = standing.run
    if run.state not in ENDED:
        return [_cancel(run, "Cancel the run")] if run.cancel_requested_at is None else []
    can_run = standing.row is not None and _can_run(standing.row)
    return [Offer("Run again", f"/runs/{run.id}/retry")] if run.state != "succeeded" and can_run else []


def _of_plan(visit: Visit) -> list[Offer]:
    plan = visit.store.find_plan(str(visit.path["plan_id"]))
    if plan is None:
        return []
    if plan.edited_from is not None:
        return _of_edit(plan, visit)
    if plan.config_id is not None:
        return _of_configs_plan(plan.config_id, visit) if plan.ended_at else []
    saved = visit.store.find_action(save_id(plan.id))
    if saved is not None:
        return [Offer("Open the config", page_of(int(saved.config_id or 0)), asks=True)]
    save = [Offer("Save this config", f"/plans/{plan.id}/save", is_main=True)] if plan.state == "done" else []
    return [*save, Offer("Change it", address("/add", plan=plan.id), asks=True)] if plan.ended_at else []


def _of_edit(plan: RequestedPlan, visit: Visit) -> list[Offer]:
    """Of a plan of an edit, which can be saved once."""
    here = page_of(int(plan.config_id or 0))
    if visit.store.find_action(save_id(plan.id)) is not None:
        return [Offer("Open the config", here, asks=True)]
    save = [Offer("Save this edit", f"/plans/{plan.id}/apply", is_main=True)] if plan.state == "done" else []
    return [*save, Offer("Change it", address(f"{here}/edit", plan=plan.id), asks=True)] if plan.ended_at else []


def _cancel(run: Run, label: str) -> Offer:
    return Offer(label, f"/runs/{run.id}/cancel", asks=True)


def _of_configs_plan(config_id: int, visit: Visit) -> list[Offer]:
    """Of a plan that has ended; none where the config is gone."""
    try:
        row = visit.store.find_config(ManualRequest(config_id=config_id))
    except UnknownConfig:
        return []
    here = page_of(config_id)
    return [Offer("Plan again", f"{here}/plan"), *([Offer("Run now", f"{here}/run")] if _can_run(row) else [])]


def _can_run(row: dict[str, Any]) -> bool:
    return refusal(lambda: refuse_others(row)) is None


def _cancel_label(run: Run, runs: list[Run]) -> str:
    return "Cancel the run" if len(runs) == 1 else f"Cancel the {run.state} run"
