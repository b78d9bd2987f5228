"""What a page or an action is given, and how both are told to the router."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from shared.errors import SyncError
from shared.ledger.store import Store
from shared.settings import Migrating, Settings


class PageMissing(SyncError):
    """There is nothing at this address."""


@dataclass(frozen=True)
class Visit:
    """One request of somebody who is known.

    `who` is an email; `now` the database's clock; `migrating` what promotions go by; `path` what the address' own parts
    are (`config_id`), `asked` what stands behind the `?`, the first of each name; `form` an action's fields;
    `form_token` is for every form of a page.
    """

    who: str
    now: datetime
    store: Store
    settings: Settings
    migrating: Migrating
    path: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    form_token: str = ""


@dataclass(frozen=True)
class Page:
    """A page: `build` makes its view, which `template` draws as HTML and `twin`, its other address, gives as JSON.

    `title` is the browser's, and that of the navigation where `in_navigation` says so.
    """

    address: str
    twin: str
    template: str
    title: str
    build: Callable[[Visit], msgspec.Struct]
    in_navigation: bool = False


@dataclass(frozen=True)
class Action:
    """What a form does: `act` does it, and tells the address to go on at."""

    address: str
    act: Callable[[Visit], str]


@dataclass(frozen=True)
class Site:
    """All that the console answers."""

    pages: Sequence[Page]
    actions: Sequence[Action] = ()
