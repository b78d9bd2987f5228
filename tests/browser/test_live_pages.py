"""The pages of one config, one run and one plan keep up by themselves, and a page that nobody sees asks for nothing."""

import time
import uuid

from playwright.sync_api import expect

from local.environment import PROJECT
from shared.planning import send_plan
from shared.wiring import Wiring
from tests.browser.conftest import Enter
from tests.browser.fleet import Fleet
from tests.e2e.conftest import DATASET, Team

# A run or a plan, and the page's next look at it, on a busy machine.
MILLISECONDS = 90_000
# What a reader has before the page changes, and what of that is left.
TAKE_PLACE = """([focused, read]) => {
    window.stays = true;
    document.querySelector(read).scrollIntoView();
    document.querySelector(focused).focus({ preventScroll: true });
    window.place = document.querySelector(read).getBoundingClientRect().top;
}"""
KEPT = """([focused, read]) => ({
    same: window.stays === true,
    focused: document.activeElement === document.querySelector(focused),
    moved: Math.round(document.querySelector(read).getBoundingClientRect().top - window.place),
})"""
ALL_KEPT = {"same": True, "focused": True, "moved": 0}
# Of a page: what has the focus, and what is read at the window's upper edge.
OF_CONFIG, OF_RUN, OF_PLAN = (".actions a", "#plans-title"), (".links a", "#facts-title"), (".facts a", ".head")
HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def hold(team: Team, name: str) -> tuple[int, str]:
    """A config and a run of it, which waits until it is let go."""
    config_id, run_id = team.add_config(name, run_frequency_hours=0), str(uuid.uuid4())
    team.clients.postgres.run(
        """INSERT INTO sheet_to_bigquery_runs
               (id, config_id, config_name, destination, slot, why, state, created_at, not_before, reads)
           VALUES (:id, :config_id, :name, :destination, now(), 'manual', 'pending', now(),
               now() + interval '1 day', 1)""",
        id=run_id,
        config_id=config_id,
        name=name,
        destination=f"{PROJECT}.{DATASET}.{name}",
    )
    return config_id, run_id


def test_a_configs_page_and_its_runs_follow_the_run_and_take_nothing_from_the_reader(enter: Enter, team: Team) -> None:
    name = team.unique("followed")
    team.write_sheet(name, [["id", "amount"], [1, 10]])
    config_id, run_id = hold(team, name)
    config = enter(390, height=200).open(f"/configs/{config_id}")
    run = enter(390, height=200).open(f"/runs/{run_id}")
    for page, place in ((config, OF_CONFIG), (run, OF_RUN)):
        expect(page.locator(".head .state")).to_have_text("waiting")
        page.evaluate(TAKE_PLACE, place)
    team.clients.postgres.run("UPDATE sheet_to_bigquery_runs SET not_before = now() WHERE id = :id", id=run_id)
    team.sweep()
    for page in (config, run):
        expect(page.locator(".head .state")).to_have_text("succeeded", timeout=MILLISECONDS)
    expect(config.locator(f"#run-{run_id}")).to_contain_text("succeeded")
    expect(config.get_by_role("region", name="Columns")).to_contain_text("amount")
    assert config.evaluate(KEPT, OF_CONFIG) == ALL_KEPT
    expect(run.get_by_role("rowheader", name="load")).to_have_count(1)
    assert run.evaluate(KEPT, OF_RUN) == ALL_KEPT
    # Nothing changes any more, and so nothing is asked for.
    assert run.evaluate("document.body.dataset.live") is None


def test_a_plans_page_shows_what_came_back(enter: Enter, fleet: Fleet, team: Team) -> None:
    here = Wiring(team.system.environment)
    ((row,),) = team.clients.postgres.run(
        "SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c WHERE id = :id", id=fleet.loaded
    )
    with here.store() as store:
        plan_id = store.request_plan(row, fleet.loaded, "ann@example.com", store.now())
        page = enter().open(f"/plans/{plan_id}")
        expect(page.get_by_role("status").filter(has_text="A run would")).to_have_count(0)
        page.evaluate(TAKE_PLACE, OF_PLAN)
        send_plan(plan_id, fleet.loaded, store, here.publish_plan)
    expect(page.get_by_role("status").filter(has_text="A run would succeed.")).to_have_count(1, timeout=MILLISECONDS)
    expect(page.locator("main")).to_contain_text("amount")
    assert page.evaluate(KEPT, OF_PLAN) == ALL_KEPT


def test_a_page_that_is_hidden_asks_for_nothing_and_looks_when_it_is_seen_again(enter: Enter, fleet: Fleet) -> None:
    visitor = enter()
    visitor.page.clock.install()
    page = visitor.open(f"/configs/{fleet.loaded}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(f"**/configs/{fleet.loaded}"):
        page.clock.run_for(121_000)
    page.evaluate(HIDE, True)
    time.sleep(0.2)  # for an answer that was on its way
    asked.clear()
    page.clock.run_for(600_000)
    assert asked == []
    with page.expect_response(f"**/configs/{fleet.loaded}"):
        page.evaluate(HIDE, False)
    assert len(asked) == 1
