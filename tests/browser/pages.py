"""Every page of the console, as the tests open it: a new one is added here, and is tested like the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.browser.fleet import HOSTILE, Fleet


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
            f"{fleet.mark} {HOSTILE}",
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
        "page that is not there",
        lambda fleet: "/nothing",
        lambda fleet: ["Not found", "there is nothing at this address", "the overview is at /"],
    ),
)
