"""The console dies while it changes whose a table is: the mark is there with its row or not at all, and the form sent
again ends what nobody wants, which the sweep and launch end otherwise, too.
"""

from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from shared.ledger.store import Store
from shared.settings import Database
from tests.integration.console.conftest import WHO, Add, Sql, actions, attempt_at
from tests.integration.console.moving import Moving
from tests.integration.console.serving import Served, serving, settings


@pytest.mark.parametrize("point", ["console.before_note", "console.after_act"])
@pytest.mark.parametrize(
    ("action", "before", "after", "why"),
    [("rollback", "job_ready", "service", "manual"), ("promote", "shadow", "job_ready", "shadow")],
)
def test_a_change_of_owner_is_done_once_and_ends_what_nobody_wants(
    action: str,
    before: str,
    after: str,
    why: str,
    point: str,
    staged: Path,
    tmp_path: Path,
    migrated: Database,
    moving: Moving,
    add_run: Add,
    now: datetime,
    store: Store,
    sql: Sql,
) -> None:
    points = tmp_path / "failpoints"
    points.mkdir()
    config_id = moving.config(before)
    moving.compared(config_id, "MATCH", "MATCH", "MATCH")
    flying = add_run(config_id, now, why, state="running", **attempt_at(now))
    waiting = add_run(config_id, now + timedelta(seconds=1), why, state="pending")
    address = f"/configs/{config_id}/{action}"
    with serving(staged, tmp_path, settings(migrated) | {"CONSOLE_USER": WHO, "FAILPOINTS": str(points)}) as served:
        form = served.form(address)
        (points / point).write_text("exit")
        assert sent(served, address, form) == 0
        done = point == "console.after_act"
        assert (moving.owner(config_id), len(moving.changes()), actions(sql)) == (
            (after, 1, [action]) if done else (before, 0, [])
        )
        assert [state(store, run_id) for run_id in (waiting, flying)] == [("pending", False), ("running", done)]
        assert sent(served, address, form) == 303
    assert (moving.owner(config_id), len(moving.changes()), actions(sql)) == (after, 1, [action])
    assert [state(store, run_id) for run_id in (waiting, flying)] == [("cancelled", True), ("running", True)]


def test_a_form_that_comes_again_much_later_ends_no_run_of_the_new_owners(
    staged: Path, tmp_path: Path, migrated: Database, moving: Moving, add_run: Add, now: datetime, store: Store
) -> None:
    config_id = moving.config("job_ready")
    address = f"/configs/{config_id}/rollback"
    with serving(staged, tmp_path, settings(migrated) | {"CONSOLE_USER": WHO}) as served:
        form = served.form(address)
        assert sent(served, address, form) == 303
        store.set_owner([config_id], ("service",), "job_ready", WHO, None)
        waiting = add_run(config_id, now, "manual", state="pending")
        assert sent(served, address, form) == 303
    assert (moving.owner(config_id), state(store, waiting)) == ("job_ready", ("pending", False))


def sent(served: Served, address: str, form: dict[str, str]) -> int:
    """The status of the answer to a form; 0 where the process died of it."""
    try:
        return served.post(address, form).status_code
    except httpx.TransportError:
        return 0


def state(store: Store, run_id: str) -> tuple[str, bool]:
    """A run's state, and whether somebody wished for its end."""
    standing = store.find_run(run_id)
    assert standing is not None
    return standing.run.state, standing.run.cancel_requested_at is not None
