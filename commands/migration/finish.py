"""`migrate.py finish`: the end. What the migration left is shown, and with `--yes` dropped; the audit stays."""

from collections.abc import Mapping, Sequence

import msgspec

from commands.exits import SUCCEEDED
from commands.migration.actor import actor_of
from commands.migration.errors import RunsOpen
from commands.migration.leftovers import drop_datasets, drop_tables, made_datasets, there
from commands.migration.named import no_marks, require_ledger
from commands.screen import Screen
from shared.errors import PermissionMissing, WrongPhase
from shared.failpoints import failpoint
from shared.ledger.connection import Session, connect
from shared.ledger.store import Store
from shared.owner import Tracking
from shared.settings import Settings, read_database, read_migrating
from shared.wiring import Wiring
from sql.tracking import finish as drop_tracking

_NAMED = 10


class Leftovers(msgspec.Struct, frozen=True):
    """What there is to drop: the tracking, shadow tables, datasets that we made and that nothing else is in, and test
    configs by id and name. `paused` configs were not promoted, and are the job's when the marks are gone."""

    tracking: bool
    paused: int
    tables: list[str]
    datasets: list[str]
    test_configs: list[tuple[int, str]]

    @property
    def none(self) -> bool:
        return not (self.tracking or self.tables or self.datasets or self.test_configs)


def finish(yes: bool, actor: str | None, environ: Mapping[str, str], screen: Screen) -> int:
    """Shows, and with `yes` drops. Done again, it goes on where it stopped.

    Raises, with nothing dropped, `NotStarted` where there never was a migration, `WrongPhase` while an active
    config is not the job's, `RunsOpen` while a shadow or a test config is loaded, and `PermissionMissing` where the
    marks are not ours to drop.
    """
    wiring = Wiring(environ)
    database = read_database(environ)
    with connect(database) as connection:
        store = Store(Session(connection, database.configs_table))
        tracking = require_ledger(store)
        _examine(tracking, database.configs_table, store)
        client = wiring.bigquery(wiring.settings.job_project)
        loaded = store.shadow_tables()
        tables = there(client, loaded)
        datasets = made_datasets(client, _datasets(loaded, wiring.settings.shadow_suffix, store), loaded)
        paused = store.count_paused_not_moved() if tracking.column else 0
        has_forward = store.has_forwarded()
        left = Leftovers(tracking.column, paused, tables, datasets, store.list_test_configs())
        _show(left, yes, screen)
        if yes:
            for config_id, _ in left.test_configs:
                store.remove_config(config_id)
            failpoint("migrate.after_test_configs")
            if left.tracking:
                for line in drop_tracking(connection, database.configs_table, actor=actor_of(actor, environ)):
                    screen.say(line)
            failpoint("migrate.after_tracking")
            drop_tables(client, left.tables)
            failpoint("migrate.after_tables")
            drop_datasets(client, left.datasets)
    screen.json({"dropped": yes, "leftovers": left})
    _tell_decommissioning(wiring.settings, read_migrating(environ).service, has_forward, screen)
    return SUCCEEDED


def _datasets(tables: Sequence[str], suffix: str, store: Store) -> set[str]:
    """Where shadows were, or were to be: a dataset may have been made for a load that never came."""
    return {table.rpartition(".")[0] for table in tables} | {f"{dataset}{suffix}" for dataset in store.datasets()}


def _examine(tracking: Tracking, configs_table: str, store: Store) -> None:
    """That everything can be dropped, before anything is."""
    if not tracking.column and not store.owner_changes(None, most=1):
        raise no_marks()
    if tracking.column:
        count, some = store.not_moved(_NAMED)
        if some:
            more = f" and {count - len(some):,} more" if count > len(some) else ""
            raise WrongPhase(
                f"not all active configs are job_ready: {', '.join(some)}{more}",
                "promote them (`python migrate.py promote`), or pause them: without marks, the job would load all",
            )
        if not store.owns_configs():
            raise PermissionMissing(
                f"PostgreSQL lets only the owner of {configs_table} drop its column migration_status",
                "run it with that owner as POSTGRES_USER",
            )
    if run := store.open_leftover():
        raise RunsOpen(
            f'a {run.why} run of config {run.config_id} "{run.config_name}" is {run.state}',
            f"wait for its end, or `python job_helper.py cancel {run.id[:8]}`",
        )


def _show(left: Leftovers, yes: bool, screen: Screen) -> None:
    if left.none:
        screen.say("nothing is left to drop")
        return
    verb = "dropping" if yes else "would drop"
    if left.tracking:
        screen.say(f"{verb} comparison_view, the narrowed active_job_configs, the trigger, the column migration_status")
    if left.paused:
        screen.say(
            f"paused configs that were not promoted: {left.paused:,}; they stay paused, and are the job's from then on:"
            " resumed, they load as their options say"
        )
    _show_each(f"{verb} shadow table", left.tables, screen)
    _show_each(f"{verb} dataset", left.datasets, screen)
    _show_each(f"{verb} test config", [f"{config_id} {name}" for config_id, name in left.test_configs], screen)
    screen.say("kept: the audit (`python migrate.py history`), the comparisons, the forwards, all runs")
    if not yes:
        screen.say("nothing was dropped: `python migrate.py finish --yes` does it")


def _show_each(what: str, names: Sequence[str], screen: Screen) -> None:
    for name in names:
        screen.say(f"{what} {name}")


def _tell_decommissioning(settings: Settings, service: str, has_forward: bool, screen: Screen) -> None:
    place = f"--project={settings.google_cloud_project} --region={settings.region}"
    deploy = f"./deploy.sh {place} --service={service} service-traffic"
    screen.say()
    screen.say("The older service goes in steps; each can be taken back by `service-traffic 100`:")
    screen.say(f"  {deploy} 50")
    screen.say("  … wait 24 to 48 hours, and look at both logs")
    screen.say(f"  {deploy} 0")
    screen.say("  … wait another 24 to 48 hours")
    screen.say(f"  gcloud run services delete {service} {place}")
    if has_forward and not settings.service_url:
        screen.say(
            "Forward stays, and runs the job for the portal's messages. Before the service is deleted, write its"
            " address as SERVICE_URL into the deployment's env file: `deploy.sh` would look for it in vain."
        )
