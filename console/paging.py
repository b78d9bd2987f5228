"""A long list, by pages: what an address asks for of it, and which part of it is shown."""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared.parse import Checked, Problem

A_PAGE = 50


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
