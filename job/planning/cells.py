"""The cells that the job's words name, so that who has to mend them finds them. Pure: addresses, no values."""

from collections.abc import Iterable, Sequence

from job.columns.cells import address
from job.reading.tab import Tab
from shared.links import NamedCell, named_cells
from shared.spreadsheet import Spreadsheet


def cells_in(told: Iterable[str], tab: Tab) -> Sequence[str]:
    """Each cell of the tab that the texts name (`C17`), once, in their order."""
    prefix = _prefix(tab)
    return [each.cell.removeprefix(prefix) for each in named_cells(told, None) if each.cell.startswith(prefix)]


def named_cell(cell: str, spreadsheet: Spreadsheet, tab: Tab) -> NamedCell:
    """A cell of the tab by its whole address, and where it opens."""
    return NamedCell(f"{_prefix(tab)}{cell}", spreadsheet.link(tab.gid, cell))


def _prefix(tab: Tab) -> str:
    """What stands before the letters in the address of the tab's cells: `Q4_Sales!`, `'My tab'!`."""
    return address(tab.title, 1, 0).removesuffix("A1")
