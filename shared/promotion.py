"""Who may own a config's table next: what is asked of a promotion, and what a mark's change leaves to be done.

The rules alone, for `migrate.py` and the console: waiting, closing attempts in BigQuery, and the screen are theirs.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from shared.config import Config, parse_config
from shared.errors import NotProved, ServiceAtWork, TableConflict, WrongPhase
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.owner import TAKEN_FROM_SERVICE, Owned


class Proved(msgspec.Struct, frozen=True):
    """A config, its row that was examined, how many comparisons in a row were MATCH, and what its run does that they
    did not see.
    """

    owned: Owned
    row: Mapping[str, Any]
    matches: int
    unseen: str | None = None


def examine_promotion(
    row: Mapping[str, Any], owned: Owned, matches: int, needed: int, store: Store, *, forced: bool = False
) -> Proved:
    """What speaks for the promotion of a config, by its row, its owner and how many comparisons in a row were MATCH;
    one that is the job's already has nothing to prove.

    A MISMATCH breaks the row of matches. SHEET_CHANGED and SHADOW_OLDER neither prove nor disprove: they do not break
    it, but none may be the last word, because the tables differed then, and nobody knows why.

    Raises `WrongPhase`, `InvalidConfig`, `TableConflict`, and `NotProved`, that last one not where it is `forced`.
    """
    if owned.owner == "job_ready":
        return Proved(owned, row, matches)
    if owned.owner == "service":
        raise WrongPhase(
            f"{owned.label} is the service's, and was not loaded beside it",
            f"`python migrate.py shadow {owned.id}`, and compare first",
        )
    config = parse_config(row)
    refuse_twins(config, owned, store)
    unseen = unlike_its_shadow(config)
    if not forced:
        _require_proof(owned, matches, needed, unseen)
    return Proved(owned, row, matches, unseen)


def is_matched(owned: Owned, matches: int, needed: int) -> bool:
    """Whether the comparisons speak for a shadow's promotion: so many in a row, and the newest among them."""
    return matches >= needed and owned.verdict in (None, "MATCH")


def _require_proof(owned: Owned, matches: int, needed: int, unseen: str | None) -> None:
    if unseen:
        raise NotProved(
            f"{owned.label}: {unseen}, so a MATCH says nothing about the job's own runs",
            "take load_mode, and what belongs to it, out of options until the migration is over; or --force REASON",
        )
    newest = f", and the newest comparison says {owned.verdict}" if owned.verdict else ""
    if matches < needed:
        raise NotProved(
            f"{owned.label} has {matches} of {needed} MATCH in a row{newest}",
            f"`python migrate.py compare {owned.id}` after each load of the service's; or --force REASON",
        )
    if not is_matched(owned, matches, needed):
        raise NotProved(
            f"{owned.label} has {matches} of {needed} MATCH in a row{newest}, which neither proves nor disproves",
            f"`python migrate.py compare {owned.id}` after the service's next load; or --force REASON",
        )


def refuse_twins(config: Config, owned: Owned, store: Store) -> None:
    """Raises `TableConflict` where another active config, whoever owns it, replaces the same table: the two could not
    be told apart, and where only one is the job's, the other one's messages are refused."""
    if others := store.active_of_table(config, but=owned.id):
        raise TableConflict(
            f"{owned.label} replaces the same table as config {others[0]}: {config.destination}",
            "give one of them another table, or pause it",
        )


def unlike_its_shadow(config: Config) -> str | None:
    """What a run of the config does that a shadow of it does not, and so no comparison sees, if anything."""
    mode = config.options.load_mode
    return None if mode == "replace" else f"options.load_mode is {mode}, and a shadow replaces the whole table"


def refuse_at_work(configs: Iterable[Owned]) -> None:
    """Raises `ServiceAtWork` where the older service may be loading one of the configs' tables at this moment."""
    for each in configs:
        if each.forward_until:
            raise ServiceAtWork(
                f"the service may be loading the table of {each.label}, until"
                f" {each.forward_until:%Y-%m-%d %H:%M:%S} UTC at the latest; nothing was changed",
                "try again, or wait longer with --wait SECONDS",
            )


def promote(rows: Sequence[Mapping[str, Any]], actor: str, reason: str | None, store: Store) -> list[int]:
    """Marks shadow configs job_ready, all or none, and tells which were not marked so before. Their shadow runs are for
    the caller to end (`end_unwanted`).

    `rows` are those that were examined: what was proved of them says nothing of another sheet or table. Raises
    `Overtaken` and `TableBusy`, with nothing changed, where somebody was faster.
    """
    ids = [row["id"] for row in rows]
    marked = store.set_owner(ids, ("shadow",), "job_ready", actor, reason, examined=rows)
    failpoint("migrate.after_mark")
    return marked


def give_back(config_ids: Sequence[int], actor: str, reason: str | None, store: Store) -> list[int]:
    """Marks configs as the service's again, all or none, and tells which were not before. Their open runs are for the
    caller to end: by a wish (`end_unwanted`), which the sweep carries out, or by closing them at once."""
    marked = store.set_owner(config_ids, TAKEN_FROM_SERVICE, "service", actor, reason)
    failpoint("migrate.after_mark")
    return marked


def end_unwanted(config_ids: Sequence[int], store: Store) -> None:
    """Ends the open runs that their configs' owners have no use for: every one of the service's, shadow runs of the
    job's. What is in flight is the sweep's to close.

    Once the mark is there for all to see: who closes a run holds it, and may be waiting for the config's row. And as
    often as somebody asks: whoever set the mark may have died since. What nobody ends here ends when it is launched,
    or, in flight, by the trigger's wish.
    """
    owners = {owned.id: owned.owner for owned in store.list_owned(config_ids)}
    for run in store.open_runs(config_ids):
        owner = owners.get(run.config_id)
        if owner == "service" or (owner == "job_ready" and run.why == "shadow"):
            store.cancel(run.id, store.now())
