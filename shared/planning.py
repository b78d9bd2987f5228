"""Planning: a person asks what a run would do; an execution of the job reads, decides, loads nothing, and tells it.

A plan is only ever looked at, so nothing is tried again: one that came to nothing says so, and is asked for again.
"""

import contextlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Literal

from shared import log
from shared.config import Config, config_environment, parse_config
from shared.errors import ExecutionFailed, InvalidInput, LaunchRefused, SyncError
from shared.executions import Congested, Executions, LaunchUnknown
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.messages import PlanEnded
from shared.plan import NO_RUN, PLAN_SECONDS, RequestedPlan
from shared.settings import Settings

Launched = Literal["launched", "refused", "unknown", "claimed_before", "not_runnable"]
Completed = Literal["done", "failed", "awaited", "ended_before"]
_AGAIN = "ask for the plan again"


def request_plan(
    config: Mapping[str, Any], config_id: int | None, by: str, store: Store, publish: Callable[[str], None]
) -> str:
    """Asks for a plan of a config's row, or of a candidate's, and tells its id; `publish` sends `PlanRequested`.

    Raises `ServiceUnavailable` where it cannot be sent: the plan has failed then.
    """
    plan_id = store.request_plan(config, config_id, by, store.now())
    send_plan(plan_id, config_id, store, publish)
    return plan_id


def send_plan(plan_id: str, config_id: int | None, store: Store, publish: Callable[[str], None]) -> None:
    """Publishes `PlanRequested` for a plan that is noted, and committed, since whoever hears of it looks for it.

    Raises `ServiceUnavailable` where it cannot be sent: the plan has failed then.
    """
    try:
        publish(plan_id)
    except SyncError as error:
        _fail(plan_id, type(error)(error.what, _AGAIN), store)
        raise
    log.info("plan_requested", plan_id=plan_id, config_id=config_id)


def launch_plan(plan_id: str, store: Store, executions: Executions, settings: Settings) -> Launched:
    """Starts the one execution of a plan that was asked for; a plan that is not waiting for it is left alone.

    What Cloud Run refuses, for being busy too, fails the plan at once: a person waits. Where nobody knows whether an
    execution was started, its word is waited for. Raises `InvalidInput` for an id that is nobody's.
    """
    wanted = store.find_plan(plan_id)
    if wanted is None:
        raise InvalidInput(f"there is no plan {plan_id}", "it may have been cleaned away")
    if wanted.state != "requested":
        return "claimed_before"
    try:
        config = _config(wanted, settings)
    except SyncError as error:
        return "not_runnable" if _fail(plan_id, error, store) else "claimed_before"
    if not store.claim_plan(plan_id, store.now()):
        return "claimed_before"
    failpoint("launch.after_plan_claim")
    try:
        name = executions.start(environment(plan_id, config, settings), PLAN_SECONDS)
    except LaunchUnknown as error:
        log.warning("plan_launch_unknown", plan_id=plan_id, error=str(error))
        return "unknown"
    except LaunchRefused as error:
        remedy = f"{_AGAIN} in some minutes" if isinstance(error, Congested) else error.remedy
        _fail(plan_id, type(error)(error.what, remedy), store)
        return "refused"
    failpoint("launch.after_plan_start")
    store.note_plan_execution(plan_id, name)
    log.info("plan_launched", plan_id=plan_id, config_id=wanted.config_id, execution=name)
    return "launched"


def complete_plan(ended: PlanEnded, store: Store, executions: Executions) -> Completed:
    """Writes what the execution found; or that it died without a word, which its own word, should it come, replaces.

    Raises `InvalidInput` for an id that is nobody's.
    """
    if store.find_plan(ended.plan_id) is None:
        raise InvalidInput(f"there is no plan {ended.plan_id}", "it may have been cleaned away")
    execution = executions.full_name(ended.execution)
    made = ended.completed
    if made is not None:
        if not store.close_plan(ended.plan_id, execution, made.plan, store.now()):
            return "ended_before"
        error = made.plan.errors[0] if made.plan.errors else None
        told = {"error_class": error.error_class, "error": error.told} if error else {}
        log.info("plan_ended", plan_id=ended.plan_id, execution=execution, **told)
        return "failed" if error else "done"
    if ended.succeeded:  # it has told, before its end: that message is on its way
        return "awaited"
    said = _last_words(execution, executions) or ended.message or "Cloud Run does not say why"
    died = ExecutionFailed(
        f"{ended.execution} ended without telling a plan: {said}", f"its log tells why; {_AGAIN} after that"
    )
    return "failed" if _fail(ended.plan_id, died, store, execution) else "ended_before"


def give_up_plans(store: Store, settings: Settings) -> int:
    """Ends the plans whose messages, or executions, were lost; tells how many those were."""
    now = store.now()
    longest = timedelta(seconds=PLAN_SECONDS + settings.lease_seconds)
    lost = ExecutionFailed(f"nobody told the plan within {longest.total_seconds() / 60:.0f} minutes", _AGAIN)
    given_up = store.fail_unanswered_plans(lost, now - longest, now)
    for plan_id in given_up:
        log.warning("plan_failed", plan_id=plan_id, error_class=lost.name, error=str(lost))
    return len(given_up)


def environment(plan_id: str, config: Config, settings: Settings) -> dict[str, str]:
    """The execution's variables: the guide's, and which plan it is. RUN_ID keeps a job from loading that is older than
    plans are (`NO_RUN`)."""
    return {
        **config_environment(config),
        "PLAN_ID": plan_id,
        "RUN_ID": NO_RUN,
        "BIGQUERY_JOB_PROJECT": settings.job_project,
        "BIGQUERY_LOCATION": settings.bigquery_location,
        "COMPLETION_TOPIC": settings.topic(settings.completion_topic),
        "SHEETS_READS_PER_MINUTE": str(settings.sheets_reads_per_minute),
    }


def _config(wanted: RequestedPlan, settings: Settings) -> Config:
    """The config as its next run would load it: a shadow's goes into the dataset beside."""
    config = parse_config(wanted.config)
    is_shadow = wanted.config.get("migration_status") == "shadow"
    return config.shadow(settings.shadow_suffix) if is_shadow else config


def _last_words(execution: str, executions: Executions) -> str:
    """Cloud Run's own sentence about an end, which tells of a memory limit where the log's entry may not."""
    with contextlib.suppress(SyncError):  # knowing why less well must not keep the plan open
        look = executions.look(execution)
        return look.message if look and look.ended else ""
    return ""


def _fail(plan_id: str, error: SyncError, store: Store, execution: str | None = None) -> bool:
    failed = store.fail_plan(plan_id, error, store.now(), execution)
    if failed:
        log.warning("plan_failed", plan_id=plan_id, error_class=error.name, error=str(error))
    return failed
