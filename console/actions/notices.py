"""One line that tells what was done, on the page that it led to: out of the ledger, never out of the address."""

import uuid
from collections.abc import Collection

import msgspec

from console.actions.configs import page_of
from console.config_fields import WORDS
from console.phrases import every
from console.states import run_word
from console.visit import Visit
from shared.acted import Acted
from shared.run import Run
from shared.states import ENDED

# How soon to look again, in seconds, while what was asked for goes on.
_LIVE = 2


class Notice(msgspec.Struct, frozen=True):
    """`told` is the line, `link` where its subject is, by the words `link_label`. `live_seconds`: how soon the page is
    to look again, 0 where all is said.
    """

    told: str
    link: str = ""
    link_label: str = ""
    live_seconds: int = 0
    is_trouble: bool = False


def find_notice(visit: Visit) -> Notice | None:
    """Of the action that the address names as `done`; None where it names none."""
    try:
        action_id = str(uuid.UUID(visit.asked.get("done", "")))
    except ValueError:
        return None
    acted = visit.store.find_action(action_id)
    return _notice(acted, visit) if acted else None


def _notice(acted: Acted, visit: Visit) -> Notice:
    name = f'"{acted.config_name or acted.config_id}"'
    told = acted.details
    match acted.action:
        case "run" | "retry":
            return _of_request(acted, name, visit)
        case "cancel":
            return _of_cancel(acted, visit)
        case "pause":
            return Notice(f"{name} is paused: no new runs start until it is resumed.")
        case "resume":
            return Notice(f"{name} is resumed: its schedule counts again.")
        case "frequency":
            now, before = every(int(told["after"])), _hours(told["before"])
            return Notice(f"The frequency of {name} is changed: {now}; before: {before}.")
        case "edit":
            return Notice(f"{name} is saved, with another {_listed(told['changed'])}. The next run goes by it.")
        case "plan":
            return Notice(f"A plan of {name} was asked for.", f"/plans/{told['plan_id']}", "The plan")
        case "add":
            return _of_added(acted, name)
        case "promote":
            return Notice(f"{name} is the job's from now on; its table keeps the older service's shape.")
        case "rollback":
            return _of_rollback(acted, name, visit)


def _of_added(acted: Acted, name: str) -> Notice:
    if acted.details.get("hours") == 0:
        return Notice(f"{name} is saved. It is manual only: it runs when somebody has it run.")
    return Notice(f"{name} is saved. The next dispatch runs it, within minutes; or run it now.")


def _of_request(acted: Acted, name: str, visit: Visit) -> Notice:
    standing = visit.store.find_run(str(acted.details["asked_run_id"]))
    if standing is None:
        return Notice(f"The run of {name} that was asked for has ended, and was cleaned away.")
    return _of_run(standing.run, name)


def _of_run(run: Run, name: str) -> Notice:
    link, label = f"/runs/{run.id}", "The run"
    if run.state not in ENDED:
        word = run_word(run.state, run.verdict)
        return Notice(f"The run of {name} that was asked for is {word}.", link, label, _LIVE)
    outcome = run.verdict if run.state == "succeeded" and run.verdict in ("unchanged", "kept") else run.state
    ended = f"The run of {name} that was asked for has ended: {outcome}."
    return Notice(ended, link, label, is_trouble=run.state == "failed")


def _of_cancel(acted: Acted, visit: Visit) -> Notice:
    standing = visit.store.find_run(str(acted.run_id))
    state = standing.run.state if standing else "cancelled"
    if state == "cancelled":
        return Notice("The run is cancelled: it loads nothing.", page_of(int(acted.config_id or 0)), "The config")
    if state in ENDED:
        return Notice(f"The run had {state} before it could be cancelled.", is_trouble=True)
    return Notice("The run is to be cancelled: the next sweep closes it, within a minute.", live_seconds=_LIVE)


def _of_rollback(acted: Acted, name: str, visit: Visit) -> Notice:
    config_id = int(acted.config_id or 0)
    if visit.store.unanswered_messages([config_id]):
        return Notice(
            f"{name} is the older service's again. A message of the portal's waited for a run of the job's:"
            f" `python migrate.py rollback {config_id}` hands it to the service.",
            is_trouble=True,
        )
    if visit.store.open_runs([config_id]):
        return Notice(
            f"{name} is the older service's again, once the next sweep has closed the run in flight, within a minute.",
            live_seconds=_LIVE,
        )
    return Notice(f"{name} is the older service's again, and nothing of the job's is in flight.")


def _listed(changed: Collection[str]) -> str:
    *others, last = (words for column, words in WORDS.items() if column in changed)
    return f"{', '.join(others)} and {last}" if others else last


def _hours(before: str) -> str:
    return every(int(before)) if before.isdigit() else f"every {before} h"
