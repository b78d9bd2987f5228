"""Errors and warnings as HTML: cells that they name are links, in place of the bare addresses that stand in them, and
commands between backticks, as a terminal shows them, are code.
"""

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

from console.phrases import visible
from shared.links import NamedCell

_SHEETS = "https://docs.google.com/spreadsheets/"
# Behind a cell's name, where the job gave it: the link stands on the name itself then.
_BEHIND = rf"(?: \({re.escape(_SHEETS)}[^\s()]*\))?"
_COMMAND = re.compile(r"`([^`\n]+)`")
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
        parts.append(coded(text[end : found.start()]))
        cell = found.groupdict().get("cell")
        parts.append(_link(links[cell] or "", cell) if cell else _link(found["address"], "the sheet"))
        end = found.end()
    return Markup("").join([*parts, coded(text[end:])])


def coded(text: str) -> Markup:
    """The text as HTML, with what stands between backticks as code."""
    # Every other part is between two.
    parts = _COMMAND.split(visible(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def _link(address: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, visible(text))
