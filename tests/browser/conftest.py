"""Chromium in front of the worker's running system, whose console shows a fleet of configs."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from local.browsing import chromium
from local.clients import LocalClients
from local.system import System
from tests.browser.fleet import Fleet, furnish
from tests.browser.visitor import Visitor
from tests.e2e.conftest import Team

Enter = Callable[..., Visitor]


@pytest.fixture(scope="session")
def fleet(system: System, clients: LocalClients) -> Fleet:
    return furnish(Team(system, clients))


@pytest.fixture
def team(system: System, clients: LocalClients) -> Team:
    """People who use the worker's system."""
    return Team(system, clients)


# Not the session's: while the browser is there, an event loop runs in this thread, which the tests of others refuse.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def enter(browser: Browser, system: System) -> Iterator[Enter]:
    """Lets somebody in who has nothing of the others: `enter(width=390, color_scheme="dark")`. All of them have to
    have nothing to complain of in the end.
    """
    visitors: list[Visitor] = []

    def enter(width: int = 1280, height: int = 800, **options: Any) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(30_000)
        visitors.append(Visitor(context, system.addresses["console"]))
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.page.context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
