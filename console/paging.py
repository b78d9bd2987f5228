"""A long list, by pages: what an address asks for of it, and which part of it is shown.

What people sort and count goes by numbers of pages; what only grows, by its time.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared.parse import Checked, Problem

A_PAGE = 50
# Nothing of ours is older, and what is beyond the last cannot be told in every zone.
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


class AskedPage(Checked, frozen=True, kw_only=True):
    """Which page stands behind the address' `?`."""

    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1

    @property
    def skipped(self) -> int:
        """So many of the list come before the page."""
        return (self.page - 1) * A_PAGE


class Searched(AskedPage, frozen=True, kw_only=True):
    """Beside the page, what is searched for."""

    search: Annotated[str, Meta(max_length=200)] = ""

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        if "\0" in values.get("search", ""):
            yield "search", "has a NUL character in it, which no name has"


class AskedTime(Checked, frozen=True, kw_only=True):
    """Which part of what has a time stands behind the address' `?`: what came next before or after an instant, or,
    where it says none, the newest. Such an address shows the same whatever comes later.
    """

    before: Annotated[datetime, Meta(tz=True)] | None = None
    after: Annotated[datetime, Meta(tz=True)] | None = None

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        if values.get("before") and values.get("after"):
            yield "before", "and after are not both possible"
        for name in ("before", "after"):
            if (instant := values.get(name)) and not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
                yield name, f"has to be between the years {_FIRST_YEAR} and {_LAST_YEAR}"


class Paged(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows of a list in which `found` are."""

    page: int
    pages: int
    found: int

    @property
    def first(self) -> int:
        """The number of the page's first among those found; 0 where it has none."""
        return (self.page - 1) * A_PAGE + 1 if self.found and self.page <= self.pages else 0

    @property
    def last(self) -> int:
        return min(self.page * A_PAGE, self.found) if self.first else 0


def pages_of(found: int) -> int:
    """How many pages so many make; an empty list has one, too."""
    return max(1, math.ceil(found / A_PAGE))
