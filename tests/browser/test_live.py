"""A page that is looked at keeps up with what goes on, and takes nothing from whoever reads or types there."""

from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.fleet import Fleet
from tests.e2e.conftest import Team

# A run, and the page's next look at it, on a busy machine.
MILLISECONDS = 90_000


def test_a_run_goes_on_before_the_reader_who_keeps_place_words_and_opened_details(
    enter: Enter, fleet: Fleet, team: Team
) -> None:
    name = team.unique("live")
    config_id = team.add_config(name, spreadsheet=fleet.mark)
    page = enter(390, height=400).open(f"/?search={name}")
    page.locator("#day-table summary").click()
    state = page.locator(f"#config-{config_id} .state")
    expect(state).to_have_text("due")
    page.evaluate(
        """(id) => {
        window.unchanged = document.getElementById(id);
        document.getElementById("search").value = "half a wo";
        document.getElementById("search").focus({ preventScroll: true });
        document.getElementById("search").setSelectionRange(2, 6);
        window.scrollTo(0, 150);
    }""",
        f"config-{config_id}",
    )
    team.publish({"config_id": config_id})
    expect(state).to_have_text("succeeded", timeout=MILLISECONDS)
    kept = page.evaluate(
        """(id) => ({
        scrolled: window.scrollY,
        focused: document.activeElement.id,
        typed: document.activeElement.value,
        selected: [document.activeElement.selectionStart, document.activeElement.selectionEnd],
        opened: document.getElementById("day-table").open,
        same: document.getElementById(id) === window.unchanged,
    })""",
        f"config-{config_id}",
    )
    assert kept == {
        "scrolled": 150,
        "focused": "search",
        "typed": "half a wo",
        "selected": [2, 6],
        "opened": True,
        "same": True,
    }  # fmt: skip
    expect(page.locator(f"#config-{config_id} .of-rows")).to_contain_text("3")
    assert page.locator("#day-table tbody tr").count() > 0


def test_a_link_keeps_the_focus_while_what_stands_around_it_changes(enter: Enter, fleet: Fleet, team: Team) -> None:
    name = team.unique("focused")
    config_id = team.add_config(name, spreadsheet=fleet.mark)
    page = enter().open(f"/?search={name}&sort=name")
    page.evaluate("window.stays = true")
    sort = page.get_by_role("link", name="Warnings")
    sort.focus()
    team.clients.postgres.run("UPDATE sheet_to_bigquery_configs SET is_active = false WHERE id = :id", id=config_id)
    expect(page.locator(f"#config-{config_id} .state")).to_have_text("paused", timeout=MILLISECONDS)
    expect(sort).to_be_focused()
    assert page.evaluate("window.stays"), "the page was loaded anew"


def test_a_page_that_gets_no_answer_says_so_until_it_gets_one(enter: Enter, fleet: Fleet) -> None:
    visitor = enter()
    visitor.page.clock.install()
    page = visitor.open(fleet.search)
    told = page.locator("#behind")
    expect(told).to_be_hidden()
    page.context.set_offline(True)
    page.clock.run_for(61_000)
    expect(told).to_be_visible()
    expect(told).to_have_text("No answer: what is shown may be out of date.")
    page.context.set_offline(False)
    page.clock.run_for(121_000)
    expect(told).to_be_hidden()
    assert visitor.complaints
    assert all("ERR_INTERNET_DISCONNECTED" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


def test_a_link_keeps_the_focus_when_its_row_moves(enter: Enter, fleet: Fleet, team: Team) -> None:
    mark = team.unique("moving")
    first, second = (
        team.add_config(
            f"{mark} {name}", spreadsheet=fleet.mark, bigquery_table_id=f"{mark}_{name}", run_frequency_hours=0
        )
        for name in ("first", "second")
    )
    # As long as one is due, the page looks every few seconds.
    team.add_config(f"{mark} due", spreadsheet=fleet.mark, bigquery_table_id=f"{mark}_due")
    visitor = enter()
    page = visitor.open(f"/?search={mark}")
    assert visitor.names == [f"{mark} due", f"{mark} first", f"{mark} second"]
    link = page.get_by_role("link", name=f"{mark} second")
    link.focus()
    team.publish({"config_id": second})
    expect(page.locator(f"#config-{second} .state")).to_have_text("succeeded", timeout=MILLISECONDS)
    expect(page.locator(f"#config-{first} .state")).to_have_text("never ran")
    assert visitor.names == [f"{mark} due", f"{mark} second", f"{mark} first"]
    expect(link).to_be_focused()
