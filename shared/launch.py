"""Launch: claim a queued run and start one execution of the Cloud Run Job for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from shared import log
from shared.config import Config, config_environment
from shared.errors import InvalidInput, LaunchRefused, NotOurs, SyncError
from shared.executions import Congested, Executions, LaunchUnknown
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.load_job import job_id
from shared.retry import retry_at
from shared.run import Failure, LoadedBefore, Run, Standing
from shared.settings import Settings
from shared.settle import fail, tell_closed

# The location of a config's dataset, or where the dataset will be created.
LocationOf = Callable[[Config], str]
Launched = Literal["launched", "refused", "unknown", "claimed_before", "not_runnable"]


def launch(run_id: str, store: Store, location_of: LocationOf, executions: Executions, settings: Settings) -> Launched:
    """Claims the run for one attempt and starts its execution; a run that is not queued is left alone.

    What Cloud Run definitely refused goes back and tries again; what nobody knows stays for settling. Raises
    `InvalidInput` for a run id that is nobody's.
    """
    standing = store.find_run(run_id)
    if standing is None:
        raise InvalidInput(f"there is no run {run_id}", "it may have been cleaned away")
    run = standing.run
    if run.state != "queued":
        return "claimed_before"
    try:
        config = standing.config()
        # A shadow lies where the table does that it is compared with.
        location = location_of(config)
        if run.why == "shadow":
            config = config.shadow(settings.shadow_suffix)
            store.refuse_anothers_table(config)
    except SyncError as error:
        if error.retryable:
            raise
        return _refuse(run, error, store, settings)
    claimed = _claim(standing, config, store, location, settings)
    if claimed is None:
        return _not_claimed(run_id, store, settings)
    log.info("claimed", run_id=run.id, config_id=run.config_id, attempt=claimed.attempt)
    return _start(claimed, config, standing.previous, store, executions, settings)


def _not_claimed(run_id: str, store: Store, settings: Settings) -> Launched:
    """A run that was not to be had: refused at once where its config stopped being the job's meanwhile."""
    standing = store.find_run(run_id)
    if standing is not None and standing.run.state == "pending":
        run = standing.run
        log.info("put_back", run_id=run.id, config_id=run.config_id, not_before=run.not_before.isoformat())
    if standing is not None and standing.run.state == "queued":
        try:
            standing.config()
        except SyncError as error:
            return _refuse(standing.run, error, store, settings)
    return "claimed_before"


def _refuse(run: Run, error: SyncError, store: Store, settings: Settings) -> Launched:
    """Ends a run whose config must not be run: cancelled where that is nobody's mistake."""
    state: Literal["failed", "cancelled"] = "cancelled" if isinstance(error, NotOurs) else "failed"
    now = store.now()
    closed = store.end_unclaimed(run, state, Failure.of(error), now, settings.pause_after_failures)
    if closed is None:
        return "claimed_before"
    if closed.state == "cancelled":
        log.warning("cancelled", run_id=run.id, config_id=run.config_id, error_class=error.name, error=str(error))
    else:
        tell_closed(run, closed, Failure.of(error), now)
    return "not_runnable"


def _claim(standing: Standing, config: Config, store: Store, location: str, settings: Settings) -> Run | None:
    lease = timedelta(seconds=settings.lease_seconds)
    # Cloud Run ends the task at its time-out; a lease more covers its start.
    limit = timedelta(seconds=settings.run_timeout_seconds) + lease
    return store.claim(standing, config, settings.job_project, location, store.now(), lease, limit)


def _start(
    run: Run, config: Config, previous: LoadedBefore | None, store: Store, executions: Executions, settings: Settings
) -> Launched:
    failpoint("launch.after_claim")
    try:
        name = executions.start(environment(run, config, settings, previous), settings.run_timeout_seconds)
    except Congested as error:
        now = store.now()
        not_before = retry_at(now, 0, settings.retry_seconds)
        if closed := store.give_back(run, now, not_before, Failure.of(error)):
            tell_closed(run, closed, Failure.of(error), now, not_before)
        return "refused"
    except LaunchRefused as error:
        fail(run, Failure.of(error), store, settings)
        return "refused"
    except LaunchUnknown as error:
        log.warning("launch_unknown", run_id=run.id, attempt=run.attempt, error=str(error))
        return "unknown"
    failpoint("launch.after_run_job")
    # What settled the attempt, or found the execution, before this answer came, has told so.
    if not store.note_execution(run.id, run.attempt, name):
        return "launched"
    failpoint("launch.after_note")
    log.info("launched", run_id=run.id, config_id=run.config_id, attempt=run.attempt, execution=name, why=run.why)
    return "launched"


def environment(run: Run, config: Config, settings: Settings, previous: LoadedBefore | None) -> dict[str, str]:
    """The execution's variables: the guide's, and which run's which attempt it is. No secrets: Cloud Run logs them.

    `previous` is the newest run of the config that loaded its table, which the new one may find unchanged.
    """
    unchanged_since = job_id(previous.run_id, previous.attempt) if previous and config.options.skip_unchanged else ""
    variables = {
        **config_environment(config),
        "RUN_ID": run.id,
        "RUN_ATTEMPT": str(run.attempt),
        "RUN_SLOT": run.slot.isoformat(),
        "PREVIOUS_JOB": unchanged_since,
        "ALLOW_SHRINK": "true" if run.allow_shrink else "",
        "BIGQUERY_JOB_PROJECT": run.job_project or "",
        "BIGQUERY_LOCATION": run.job_location or "",
        "COMPLETION_TOPIC": settings.topic(settings.completion_topic),
        "SHEETS_READS_PER_MINUTE": str(settings.sheets_reads_per_minute),
    }
    return {name: value for name, value in variables.items() if value}
