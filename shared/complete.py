"""Complete: an execution ended, by its own message or Cloud Logging's entry; settle its run and admit again."""

from typing import Literal

from shared import log
from shared.admit import Publish, admit
from shared.errors import InvalidInput
from shared.executions import Executions
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.messages import Ended, RunCompleted
from shared.run import Failure, Run
from shared.settings import Settings
from shared.settle import BigQuery, Settled, note_execution, settle, short_name, tell_closed


def complete(
    ended: Ended,
    store: Store,
    bigquery_of: BigQuery,
    executions: Executions,
    publish: Publish,
    settings: Settings,
) -> Settled | Literal["superseded"]:
    """Settles the run whose execution ended. The hint is believed in nothing that BigQuery does not confirm.

    Raises `InvalidInput` for a run id that is nobody's, and what `settle` raises.
    """
    standing = store.find_run(ended.run_id)
    if standing is None:
        raise InvalidInput(f"there is no run {ended.run_id}", "it may have been cleaned away")
    if ended.attempt != standing.run.attempt:
        return "superseded"  # that attempt is closed already
    if standing.run.state == "launching":
        note_execution(standing.run, executions.full_name(ended.execution), store)
        standing = store.find_run(ended.run_id) or standing
    run = standing.run
    settled = settle(run, store, bigquery_of, executions, settings, ended.completed)
    if settled == "settled_before" and ended.completed and ended.execution == short_name(run.execution):
        _add_words(run, ended.completed, store, settings)
    failpoint("complete.before_admit")
    admit(store, publish, settings)
    return settled


def _add_words(run: Run, completed: RunCompleted, store: Store, settings: Settings) -> None:
    """Messages are unordered: Cloud Logging's entry may have settled the run before the job's own words came."""
    if completed.outcome == "succeeded":
        store.add_details(completed, run.execution or "")
    elif completed.explains:
        failure = Failure.told_by(completed)
        now = store.now()
        closed = store.correct_failure(run, failure, now, completed, settings.pause_after_failures)
        if closed and closed.state == run.state:
            log.warning("explained", run_id=run.id, attempt=run.attempt, error_class=completed.error_class)
        elif closed:
            tell_closed(run, closed, failure, now)
