"""Every page of the console, as the tests open it: a new one is added here, and is tested like the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.browser.fleet import HOSTILE_HEADER, HOSTILE_TAB, SHOWN, Fleet


@dataclass(frozen=True)
class PageSeen:
    """`address` is the path, `shows` what has to be read there, each for the fleet that the system has."""

    name: str
    address: Callable[[Fleet], str]
    shows: Callable[[Fleet], Sequence[str]]

    def __str__(self) -> str:
        return self.name


PAGES = (
    # Its second page has a few configs of each state.
    PageSeen(
        "overview",
        lambda fleet: f"{fleet.search}&sort=state&order=down&page=2",
        lambda fleet: [
            f"{fleet.mark} {SHOWN}",
            "SchemaViolated",
            "TabNotFound",
            f"51–{fleet.count} of {fleet.count}",
        ],
    ),
    PageSeen(
        "overview of nothing",
        lambda fleet: f"{fleet.search}+nobody",
        lambda fleet: ["No config has that in its name or its table."],
    ),
    PageSeen(
        "config",
        lambda fleet: f"/configs/{fleet.loaded}",
        lambda fleet: [f"{fleet.mark} loaded", "the spreadsheet", "every day", "amount"],
    ),
    PageSeen(
        "config with a hostile name",
        lambda fleet: f"/configs/{fleet.hostile}",
        lambda fleet: [f"{fleet.mark} {SHOWN}", HOSTILE_TAB, "A run would succeed".lower()],
    ),
    PageSeen(
        "config that is wrong",
        lambda fleet: f"/configs/{fleet.wrong}",
        lambda fleet: ["run_frequency_hours has to be a whole number of hours", "no spreadsheet's address"],
    ),
    PageSeen(
        "run with warnings",
        lambda fleet: f"/runs/{fleet.runs[fleet.warned]}",
        lambda fleet: [f"{fleet.mark} warned", "1 cell is in error, loaded as NULL: 'Budget 2024'!F17", "spreadsheet"],
    ),
    PageSeen(
        "run of a hostile sheet",
        lambda fleet: f"/runs/{fleet.runs[fleet.hostile]}",
        lambda fleet: [f"{fleet.mark} {SHOWN}", f"'{HOSTILE_TAB}'!B3"],
    ),
    PageSeen(
        "run that failed",
        lambda fleet: f"/runs/{fleet.runs[fleet.violated]}",
        lambda fleet: ["SchemaViolated", "Sheet1!B4", "text where INT64 is expected"],
    ),
    PageSeen(
        "run without its tab",
        lambda fleet: f"/runs/{fleet.runs[fleet.missing_tab]}",
        lambda fleet: ["TabNotFound", HOSTILE_TAB],
    ),
    PageSeen(
        "plan",
        lambda fleet: f"/plans/{fleet.plans[fleet.hostile]}",
        lambda fleet: ["A run would succeed.", HOSTILE_TAB, HOSTILE_HEADER, f"'{HOSTILE_TAB}'!B3"],
    ),
    PageSeen(
        "plan that failed",
        lambda fleet: f"/plans/{fleet.plans[fleet.violated]}",
        lambda fleet: ["A run would fail.", "SchemaViolated", "Sheet1!B4"],
    ),
    PageSeen(
        "migration",
        lambda fleet: "/migration",
        lambda fleet: ["migrate.py start"],
    ),
    PageSeen(
        "form to add",
        lambda _: "/add",
        lambda _: ["Add a config", "Share the sheet", "sheet-to-bigquery@", "Address of the spreadsheet"],
    ),
    *(
        PageSeen(
            f"form of {action}",
            lambda fleet, action=action: f"/configs/{fleet.hostile}/{action}",
            lambda fleet: [f"{fleet.mark} {SHOWN}", "Back"],
        )
        for action in ("run", "pause", "edit", "frequency")
    ),
    PageSeen(
        "form of edit with its options",
        lambda fleet: f"/configs/{fleet.hostile}/edit?field=on_empty",
        lambda fleet: ["Where the sheet has no rows", "Merge keys", "Plan it first"],
    ),
    PageSeen(
        "form of edit of what is wrong",
        lambda fleet: f"/configs/{fleet.wrong}/edit",
        lambda fleet: [f"{fleet.mark} wrong", "Back"],
    ),
    PageSeen(
        "form to retry",
        lambda fleet: f"/runs/{fleet.runs[fleet.violated]}/retry",
        lambda fleet: [f"{fleet.mark} violated", "Back"],
    ),
    PageSeen(
        "page that is not there",
        lambda fleet: "/nothing",
        lambda fleet: ["Not found", "there is nothing at this address", "the overview is at /"],
    ),
)
