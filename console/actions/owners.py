"""Whose a config's table is, while a team moves from the older service: promoting it, and giving it back.

The rules are those of `migrate.py` (`shared/promotion.py`). What is in flight is closed by the sweep, as the trigger
wishes: only that may take a run's BigQuery job.
"""

from typing import Any

from console.actions.configs import find_row, label, page_of, reason_field, reason_in
from console.actions.once import CONFIG, Change, Done, NotPossible, act_once
from console.forms import Form, refusal
from console.rendering import address
from console.visit import Action, Visit
from shared.errors import Overtaken, ServiceAtWork
from shared.owner import TAKEN_FROM_SERVICE, Owned
from shared.promotion import end_unwanted, examine_promotion, give_back, promote, refuse_at_work


def _owned(row: dict[str, Any], visit: Visit) -> Owned:
    """Whose the config's table is. Raises `NotPossible` where nobody moves."""
    if not visit.store.tracking().started:
        raise NotPossible("no migration is going on here", "`python migrate.py start` begins one")
    return visit.store.list_owned([row["id"]])[0]


def promotable(row: dict[str, Any], visit: Visit) -> Owned:
    """Whose the config's table is before it is promoted. Raises what speaks against that."""
    owned = _owned(row, visit)
    require_promotable(row, owned, visit.store.consecutive_matches(owned.id, owned.table), visit)
    return owned


def require_promotable(row: dict[str, Any], owned: Owned, matches: int, visit: Visit) -> None:
    """Raises what speaks against the promotion of a config, which compared so well."""
    if owned.owner == "job_ready":
        raise NotPossible(f"{label(row)} is the job's already", "there is nothing left to promote")
    examine_promotion(row, owned, matches, visit.here.migrating.migration_matches, visit.store)
    try:
        refuse_at_work([owned])
    except ServiceAtWork as busy:
        raise ServiceAtWork(busy.what, "try again in some minutes") from busy


def returnable(row: dict[str, Any], visit: Visit) -> Owned:
    """Whose the config's table is before it is rolled back. Raises what speaks against that."""
    owned = _owned(row, visit)
    if owned.owner not in TAKEN_FROM_SERVICE:
        raise NotPossible(f"{label(row)} is the older service's already", "there is nothing left to roll back")
    return owned


def _promote(visit: Visit) -> str:
    def change() -> Change:
        row, reason = find_row(visit), reason_in(visit)
        owned = promotable(row, visit)
        if not promote([row], visit.who, reason, visit.store):
            raise Overtaken(f"somebody promoted {label(row)} at this moment", "there is nothing left to promote")
        return Change.of_row(row, before=owned.owner, after="job_ready", reason=reason)

    return _marked(act_once(visit, "promote", change), visit)


def _marked(done: Done, visit: Visit) -> str:
    """The config's page, when the runs are ended that its owner has no use for."""
    end_unwanted([visit.path["config_id"]], visit.store)
    return address(page_of(visit.path["config_id"]), done=done.acted.id)


def _promote_form(visit: Visit) -> Form:
    row = find_row(visit)
    owned = _owned(row, visit)
    needed = visit.here.migrating.migration_matches
    matches = visit.store.consecutive_matches(owned.id, owned.table)
    newest = f"; the newest comparison says {owned.verdict}" if owned.verdict else ""
    told = (
        f"{matches} comparisons in a row were MATCH, and {needed} are needed{newest}.",
        f"From then on the job loads {owned.table}: the portal's messages of this config run the job, and so does the"
        " schedule; the older service gets them no more. The table keeps the service's shape, all STRING, until"
        " `python migrate.py types` changes that.",
        "It can be rolled back at any time.",
    )
    fields = (reason_field(visit, "For the audit."),)
    refused = refusal(lambda: promotable(row, visit))
    return Form(f"Promote {label(row)}", visit.address, "Promote", page_of(owned.id), told, fields, refused=refused)


def _give_back(visit: Visit) -> str:
    def change() -> Change:
        row, reason = find_row(visit), reason_in(visit)
        owned = returnable(row, visit)
        if not give_back([owned.id], visit.who, reason, visit.store):
            raise Overtaken(f"somebody rolled {label(row)} back at this moment", "there is nothing left to roll back")
        return Change.of_row(row, before=owned.owner, after="service", reason=reason)

    return _marked(act_once(visit, "rollback", change), visit)


def _give_back_form(visit: Visit) -> Form:
    row = find_row(visit)
    owned = _owned(row, visit)
    told = (
        f"The older service gets this config's messages again, and loads {owned.table}; the job begins nothing more of"
        " it.",
        "What the job has in flight is marked to be cancelled: the next sweep closes it, within a minute. Messages for"
        " the service are held back until then.",
        f"`python migrate.py rollback {owned.id}` does the same, and closes what is in flight at once; it also hands"
        " the service a message that waited for a run of the job's.",
        "It can be promoted again after it was loaded in shadow, and compared.",
    )
    fields = (reason_field(visit, "For the audit."),)
    title, refused = f"Roll back {label(row)}", refusal(lambda: returnable(row, visit))
    return Form(title, visit.address, "Roll back", page_of(owned.id), told, fields, lasting=True, refused=refused)


ACTIONS = (
    Action(f"/configs/{CONFIG}/promote", _promote, _promote_form),
    Action(f"/configs/{CONFIG}/rollback", _give_back, _give_back_form),
)
