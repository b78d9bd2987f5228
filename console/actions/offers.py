"""What can be done on a page, as its buttons and links, and what was done there lately."""

from typing import Any

import msgspec

from console.actions.adding import save_id
from console.actions.configs import page_of
from console.rendering import address
from console.visit import Visit
from shared.acted import Acted
from shared.messages import ManualRequest
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
    offers = [Offer("Run now", f"{here}/run", is_main=True)] if _is_ours(row) and row["is_active"] else []
    offers.append(Offer("Plan", f"{here}/plan"))
    offers += [Offer(_cancel_label(run, runs), f"/runs/{run.id}/cancel", asks=True) for run in runs]
    offers.append(Offer("Edit", f"{here}/edit", asks=True))
    offers.append(Offer("Change frequency", f"{here}/frequency", asks=True))
    offers.append(Offer("Pause", f"{here}/pause", asks=True) if row["is_active"] else Offer("Resume", f"{here}/resume"))
    return Offers((*offers, *_of_owner(row, here)), lately)


def _of_owner(row: dict[str, Any], here: str) -> list[Offer]:
    """While a team moves: whose the table can be next."""
    owner = row.get("migration_status")
    promote = [Offer("Promote", f"{here}/promote", asks=True)] if owner == "shadow" else []
    back = [Offer("Roll back", f"{here}/rollback", asks=True)] if owner in ("shadow", "job_ready") else []
    return promote + back


def _of_run(visit: Visit) -> list[Offer]:
    standing = visit.store.find_run(str(visit.path["run_id"]))
    if standing is None:
        return []
    run = standing.run
    if run.state not in ENDED:
        return [Offer("Cancel the run", f"/runs/{run.id}/cancel", asks=True)]
    can_run = standing.row is not None and standing.active and _is_ours(standing.row)
    return [Offer("Run again", f"/runs/{run.id}/retry")] if run.state != "succeeded" and can_run else []


def _of_plan(visit: Visit) -> list[Offer]:
    plan = visit.store.find_plan(str(visit.path["plan_id"]))
    if plan is None:
        return []
    if plan.edited_from is not None:
        return _of_edit(plan, visit)
    if plan.config_id is not None:
        here = page_of(plan.config_id)
        return [Offer("Plan again", f"{here}/plan"), Offer("Run now", f"{here}/run")] if plan.ended_at else []
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


def _is_ours(row: dict[str, Any]) -> bool:
    return bool(row.get("migration_status", "job_ready") == "job_ready")


def _cancel_label(run: Run, runs: list[Run]) -> str:
    return "Cancel the run" if len(runs) == 1 else f"Cancel the {run.state} run"
