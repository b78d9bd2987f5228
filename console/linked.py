"""Errors and warnings with the cells that they name as links, in place of the bare addresses that stand in them."""

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

from console.phrases import visible
from shared.links import NamedCell

_SHEETS = "https://docs.google.com/spreadsheets/"
# Behind a cell's name, where the job gave it: the link stands on the name itself then.
_BEHIND = rf"(?: \({re.escape(_SHEETS)}[^\s()]*\))?"
_ADDRESS = rf"{re.escape(_SHEETS)}d/[\w-]+/edit(?:#[\w=&]*)?"


def linked(text: str, cells: Iterable[NamedCell]) -> Markup:
    """The text as HTML. Only addresses of spreadsheets become links, whoever wrote the text or the cells' links."""
    links = {each.cell: each.link for each in cells if each.link and each.link.startswith(_SHEETS)}
    # The longest first: `Q4!C1` begins `Q4!C17`.
    names = "|".join(re.escape(cell) for cell in sorted(links, key=len, reverse=True))
    named = rf"(?<![\w'])(?P<cell>{names})(?!\w){_BEHIND}|" if names else ""
    parts: list[Markup] = []
    end = 0
    for found in re.finditer(rf"{named}(?P<address>{_ADDRESS})", text):
        parts.append(_text(text[end : found.start()]))
        cell = found.groupdict().get("cell")
        parts.append(_link(links[cell] or "", cell) if cell else _link(found["address"], "the sheet"))
        end = found.end()
    return Markup("").join([*parts, _text(text[end:])])


def _text(text: str) -> Markup:
    return escape(visible(text))


def _link(address: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, visible(text))
