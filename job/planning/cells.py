"""The cells that the job's words name, so that who has to mend them finds them. Pure: addresses, no values."""

import re
from collections.abc import Iterable, Sequence

from job.columns.cells import address
from job.reading.tab import Tab
from shared.plan import NamedCell
from shared.spreadsheet import Spreadsheet


def cells_in(told: Iterable[str], tab: Tab) -> Sequence[str]:
    """Each cell of the tab that the texts name (`C17`), once, in their order."""
    pattern = re.compile(rf"(?<!\w){re.escape(_prefix(tab))}([A-Z]{{1,3}}[1-9][0-9]*)")
    return list(dict.fromkeys(cell for text in told for cell in pattern.findall(text)))


def named_cell(cell: str, spreadsheet: Spreadsheet, tab: Tab) -> NamedCell:
    """A cell of the tab by its whole address, and where it opens."""
    return NamedCell(f"{_prefix(tab)}{cell}", spreadsheet.link(tab.gid, cell))


def _prefix(tab: Tab) -> str:
    """What stands before the letters in the address of the tab's cells: `Q4_Sales!`, `'My tab'!`."""
    return address(tab.title, 1, 0).removesuffix("A1")
