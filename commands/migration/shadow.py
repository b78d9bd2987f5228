"""`migrate.py shadow`: the job loads configs beside the service, in the service's shape, into datasets of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from commands.exits import FAILED, INTERRUPTED, SUCCEEDED, TIMED_OUT
from commands.ledger import Ledger
from commands.migration.actor import Change
from commands.migration.named import examine_named, require_started
from commands.migration.shadow_dataset import (
    ShadowDataset,
    examine_dataset,
    make_datasets,
    missing_grants,
    refuse_strangers_table,
)
from commands.progress import WaitedLongEnough, follow
from commands.runs import draw_runs, step_of
from commands.screen import Screen
from shared.admit import admit
from shared.config import parse_config
from shared.errors import NotOurs, WrongPhase
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.owner import Owned
from shared.promotion import refuse_twins, unlike_its_shadow
from shared.run import Run, how_to_resume
from shared.wiring import Wiring


class Shadowed(msgspec.Struct, frozen=True):
    """A config that is loaded beside the service, where, and what its own run does otherwise."""

    owned: Owned
    table: str
    dataset: ShadowDataset
    unseen: str | None


def shadow(
    names: Sequence[str],
    wait: bool,
    seconds: float | None,
    change: Change,
    environ: Mapping[str, str],
    screen: Screen,
) -> int:
    """Marks the service's configs shadow, and loads each once; one that is in shadow already is loaded once more.

    Raises, with nothing changed, `WrongPhase`, `InvalidConfig`, `NotOurs` where it is paused, `TableConflict`,
    `TableMissing`, `DatasetMisplaced` and `PermissionMissing`.
    """
    wiring = Wiring(environ)
    with wiring.store() as store:
        require_started(store)
        wanted = examine_named(names, store, lambda row, owned: _examine(row, owned, store, wiring), screen)
        for each in wanted:
            if each.unseen:
                screen.note(f"{each.owned.label}: {each.unseen}; take it out of options, else promote will refuse")
        if change.dry_run:
            return _tell_plan(wanted, screen)
        written = {table.rpartition(".")[0] for table in store.shadow_tables()}
        run_ids = _begin(wanted, change, store, wiring, screen)
    for line in missing_grants([each.dataset for each in wanted], written, wiring):
        screen.note(line)
    if not wait:
        screen.json([_told(each) for each in wanted])
        return SUCCEEDED
    with Ledger(wiring.store, screen) as ledger:
        return _wait(wanted, run_ids, seconds, ledger, screen)


def _examine(row: dict[str, Any], owned: Owned, store: Store, wiring: Wiring) -> Shadowed:
    if owned.owner == "job_ready":
        raise WrongPhase(f"{owned.label} is the job's", f"`python migrate.py rollback {owned.id}` gives it back first")
    config = parse_config(row)
    if not owned.active:
        raise NotOurs(f"{owned.label} is paused", how_to_resume(owned.id, owned.name))
    beside = config.shadow(wiring.settings.shadow_suffix)
    store.refuse_anothers_table(beside)
    refuse_twins(config, owned, store)
    dataset = examine_dataset(config, wiring.settings.shadow_suffix, wiring)
    if dataset.is_there and not store.shadow_began(owned.id, beside.destination):
        refuse_strangers_table(beside, wiring)
    return Shadowed(owned, beside.destination, dataset, unlike_its_shadow(config))


def _begin(wanted: Sequence[Shadowed], change: Change, store: Store, wiring: Wiring, screen: Screen) -> list[str]:
    """The ids of the runs. Each step may be repeated: who is killed between two of them calls the command again."""
    for name in make_datasets([each.dataset for each in wanted], wiring):
        screen.say(f"made dataset {name}")
    failpoint("migrate.after_dataset")
    ids = [each.owned.id for each in wanted]
    changed = store.set_owner(ids, ("service",), "shadow", change.actor, change.reason)
    failpoint("migrate.after_mark")
    recorded = [store.record_shadow(config_id, store.now(), wiring.settings.shadow_suffix) for config_id in ids]
    failpoint("migrate.after_record")
    for each in wanted:
        what = "is loaded beside the service" if each.owned.id in changed else "is loaded once more"
        screen.say(f"{each.owned.id} {each.owned.name}: {what}, into {each.table}")
    admit(store, wiring.publish, wiring.settings)
    return [run_id for run_id in recorded if run_id]


def _tell_plan(wanted: Sequence[Shadowed], screen: Screen) -> int:
    for name in sorted({each.dataset.name for each in wanted if not each.dataset.is_there}):
        screen.say(f"would make dataset {name}")
    for each in wanted:
        screen.say(f"{each.owned.id} {each.owned.name}: would be loaded beside the service, into {each.table}")
    screen.say("dry run: nothing was changed")
    screen.json([_told(each) for each in wanted])
    return SUCCEEDED


def _wait(
    wanted: Sequence[Shadowed], run_ids: Sequence[str], seconds: float | None, ledger: Ledger, screen: Screen
) -> int:
    def look() -> list[Run]:
        found = ledger.ask(lambda store: [store.find_run(run_id) for run_id in run_ids])
        return [standing.run for standing in found if standing]

    code = SUCCEEDED
    try:
        follow(lambda: [step_of(run) for run in look()], screen, seconds)
    except WaitedLongEnough:
        screen.trouble(f"not all have ended after {seconds:g} s; they go on: `python migrate.py status` shows them")
        code = TIMED_OUT
    except KeyboardInterrupt:
        screen.trouble("the runs go on: `python migrate.py status` shows them")
        return INTERRUPTED
    ended = look()
    draw_runs(ended, screen)
    screen.json([_told(each, ended) for each in wanted])
    if code == SUCCEEDED and any(run.state != "succeeded" for run in ended):
        return FAILED
    if code == SUCCEEDED:
        screen.say("`python migrate.py compare` tells whether it is what the service loaded.")
    return code


def _told(shadowed: Shadowed, runs: Sequence[Run] = ()) -> dict[str, Any]:
    owned = shadowed.owned
    return {
        "id": owned.id,
        "name": owned.name,
        "before": owned.owner,
        "service_table": owned.table,
        "shadow_table": shadowed.table,
        "runs": [run for run in runs if run.config_id == owned.id],
    }
