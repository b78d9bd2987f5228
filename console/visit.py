"""What a page or an action is given, and how both are told to the router."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from console.forms import Form
from shared.errors import InvalidInput, SyncError
from shared.ledger.store import Store
from shared.settings import Migrating, Settings
from shared.wiring import Wiring

# The hidden field of every form that tells two pages' forms apart: each page that is asked for has another.
ONCE = "once"


class PageMissing(SyncError):
    """There is nothing at this address."""


@dataclass(frozen=True)
class Visit:
    """One request of somebody who is known.

    `who` is an email, and `may_act` whether they may do more than look; `now` the database's clock; `path` what the
    address' own parts are (`config_id`), `asked` what stands behind the `?`, the first of each name; `form` an action's
    fields; `form_token` and `once` are for every form of a page.
    """

    who: str
    now: datetime
    store: Store
    here: Wiring
    address: str
    may_act: bool = True
    path: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    form_token: str = ""
    once: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def settings(self) -> Settings:
        return self.here.settings

    @property
    def migrating(self) -> Migrating:
        return self.here.migrating

    @property
    def action_id(self) -> str:
        """What this form's action is to be known by: the same fields, of the same page, sent again, have the same.

        Raises `InvalidInput` for a form that no page of ours made.
        """
        if not self.form.get(ONCE):
            raise InvalidInput(f"the form lacks `{ONCE}`", "open the page again, and send it then")
        sent = urlencode([("", self.address), *sorted(self.form.items())])
        return str(uuid.uuid5(uuid.NAMESPACE_URL, sent))


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
    """What a form does: `act` does it, and tells the address to go on at.

    `form` is the form on a page of its own, for who wants to look before, or has to correct what could not be done; it
    stands at `asked_at`, by default the action's own address.
    """

    address: str
    act: Callable[[Visit], str]
    form: Callable[[Visit], Form] | None = None
    asked_at: str = ""


@dataclass(frozen=True)
class Site:
    """All that the console answers."""

    pages: Sequence[Page]
    actions: Sequence[Action] = ()
