"""Fair order: the most overdue first, and configs that always fail take their turn but nobody else's."""

from datetime import UTC, datetime, timedelta

from shared.ledger.store import Store
from shared.run import Failure

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PLENTY = 100_000
PASSING = Failure("ServiceUnavailable", "it did not answer", retryable=True)


def claim(store: Store, run_id: str, now: datetime):
    standing = store.find_run(run_id)
    return store.claim(standing, standing.config(), "p", "US", now, MINUTE, 30 * MINUTE)


def test_eight_configs_that_always_fail_starve_nobody(store: Store, add_config, add_run, sql) -> None:
    """Two places, a minute a run, retries at once, and the failing configs are the most overdue of all."""
    failing, sound = set(), []
    for number in range(8):
        failing.add(add_run(add_config(f"failing{number}"), NOON - 60 * MINUTE, state="pending"))
    for number in range(20):
        sound.append(add_run(add_config(f"sound{number}"), NOON + number * MINUTE / 60, state="pending"))
    now, order = NOON + MINUTE, []
    while len(set(order) & set(sound)) < len(sound):
        for run_id in store.admit(now, cap=2, reads_per_minute=PLENTY):
            run = claim(store, run_id, now)
            order.append(run_id)
            if run_id in failing:
                store.fail(run, PASSING, now + MINUTE, now + MINUTE, None)
            else:
                outcome = {"verdict": "loaded", "rows": 1, "columns": [], "content_hash": None, "details": None}
                store.succeed(run, now + MINUTE, execution=None, **outcome)
        now += MINUTE
        assert now < NOON + 120 * MINUTE
    assert set(order[:8]) == failing  # the most overdue first
    assert order[8:] == sound  # then nobody before them a second time, and they in the order of their slots


def test_a_retry_waits_behind_what_was_due_before_it_and_goes_before_what_came_later(store: Store, add_run) -> None:
    earlier = add_run(1, NOON, state="pending")
    retry = add_run(2, NOON - 60 * MINUTE, state="pending", attempt=1, failures=1, not_before=NOON + MINUTE)
    later = add_run(3, NOON + 2 * MINUTE, state="pending")
    now = NOON + 5 * MINUTE
    admitted = []
    for _ in range(3):
        admitted += store.admit(now, cap=len(admitted) + 1, reads_per_minute=PLENTY)
    assert admitted == [earlier, retry, later]


def test_a_run_that_had_no_room_keeps_its_place(store: Store, add_run) -> None:
    given_back = add_run(1, NOON, state="pending", attempt=1, failures=0, not_before=NOON + 3 * MINUTE)
    add_run(2, NOON + MINUTE, state="pending")
    assert store.admit(NOON + 5 * MINUTE, cap=1, reads_per_minute=PLENTY) == [given_back]
