"""The demo's closing summary: per config what was done, whether it is right, and what is in the table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from local.loaded import Column, LoadedTable
from local.runs import RunSeen
from local.tabs import DATASET, Extent, Tab
from shared.counted import counted

# Wider values are cut: the rows are there to be recognised, not read.
WIDEST_VALUE = 28
SPACE_BETWEEN = 2
# More are in the ledger: `job_helper.py runs`.
WARNINGS_SHOWN = 3


@dataclass(frozen=True)
class Result:
    """All that is known of one config afterwards; `table` is None where nothing was loaded.

    `warnings` are what its run told the sheet's owner, with cell addresses.
    """

    tab: Tab
    expected: Extent
    runs: Sequence[RunSeen]
    table: LoadedTable | None
    last_run_before: datetime | None
    last_run_after: datetime | None
    warnings: Sequence[str] = ()

    @property
    def problems(self) -> list[str]:
        """What is not as it should be; empty if everything is."""
        if len(self.runs) != 1:
            return [f"{len(self.runs)} runs were recorded where one was due"]
        (run,) = self.runs
        if run.state != "succeeded" or self.table is None:
            return [f"its run {run.state}: {run.error or 'no reason is recorded'}"]
        return [problem for problem in self._differences(run, self.table) if problem]

    def _differences(self, run: RunSeen, table: LoadedTable) -> Iterator[str | None]:
        rows, values = self.expected.rows, list(self.expected.values)
        yield f"the table has {table.rows} rows, the sheet {rows}" if table.rows != rows else None
        yield f"the run counted {run.rows} rows, the sheet has {rows}" if run.rows != rows else None
        found = [column.values for column in table.columns]
        yield f"the columns hold {found} values, the sheet's {values}" if found != values else None
        moved = self.last_run_after == run.slot and self.last_run_before is None
        yield None if moved else f"last_run is {_instant(self.last_run_after)}, not the run's slot"


class Indented:
    """Anything indented by `columns`, its continuations too, with `mark` in the first line's indent.

    Lines have no blanks at their ends, which rich's own Padding and Table leave there.
    """

    def __init__(self, content: RenderableType, columns: int, mark: Text | None = None) -> None:
        self._content = content
        self._columns = columns
        self._mark = mark or Text(" " * columns)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        inside = options.update_width(max(1, options.max_width - self._columns))
        for number, line in enumerate(console.render_lines(self._content, inside, pad=False)):
            stripped = _without_blanks_at_its_end(line)
            if stripped and number == 0:
                yield from self._mark.render(console)
            elif stripped:
                yield Segment(" " * self._columns)
            yield from stripped
            yield Segment.line()


def print_results(console: Console, results: Sequence[Result]) -> None:
    """One section per config."""
    for result in results:
        console.print()
        console.print(_heading(result))
        for problem in result.problems:
            console.print(Indented(Text(problem, style="red"), 4, Text("  ✘ ", style="red")))
        for warning in result.warnings[:WARNINGS_SHOWN]:
            console.print(Indented(Text(warning, style="yellow"), 6, Text("    ! ", style="yellow")))
        if len(result.warnings) > WARNINGS_SHOWN:
            console.print(Text(f"    … and {len(result.warnings) - WARNINGS_SHOWN} more warnings", style="dim"))
        if result.table is not None:
            console.print(Indented(first_rows(result.table, console.width - 4), 4))


def _heading(result: Result) -> RenderableType:
    mark = Text("✘ ", style="bold red") if result.problems else Text("✔ ", style="bold green")
    tab = f"{result.tab.spreadsheet} · {result.tab.title}"
    first = Text.assemble((tab, "bold"), "  →  ", (f"{DATASET}.{result.tab.name}", "bold cyan"))
    run = result.runs[-1] if result.runs else None
    facts = [run.state, f"{run.seconds:.1f} s"] if run else ["no run"]
    if result.table is not None:
        facts[1:1] = [counted(result.table.rows, "row"), counted(len(result.table.columns), "column")]
    last_run = f"last_run {_instant(result.last_run_before)} → {_instant(result.last_run_after)}"
    return Group(Indented(first, 2, mark), Indented(Text(" · ".join([*facts, last_run]), style="dim"), 4))


def first_rows(table: LoadedTable, width: int) -> RenderableType:
    """Names, types and first rows, in as many blocks as the width asks for."""
    cells = [[_shown(value) for value in row] for row in table.first_rows]
    widths = [
        max(cell_len(text) for text in (column.name, column.type, *(row[at] for row in cells)))
        for at, column in enumerate(table.columns)
    ]
    parts: list[RenderableType] = []
    for block in _blocks(widths, width):
        if parts:
            parts.append(Text(_numbers(block), style="dim"))
        parts.append(_block(table.columns, cells, block))
    if table.rows > len(cells):
        parts.append(Text(f"… and {table.rows - len(cells)} more rows", style="dim"))
    return Group(*parts)


def _blocks(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """Columns side by side as long as they fit."""
    block: list[int] = []
    taken = 0
    for at, needed in enumerate(widths):
        if block and taken + needed > width:
            yield block
            block, taken = [], 0
        block.append(at)
        taken += needed + SPACE_BETWEEN
    if block:
        yield block


def _numbers(block: Sequence[int]) -> str:
    """Which columns, counted from 1, a continuation shows."""
    first, last = block[0] + 1, block[-1] + 1
    return f"(column {first})" if first == last else f"(columns {first}–{last})"


def _without_blanks_at_its_end(line: Sequence[Segment]) -> list[Segment]:
    kept = list(line)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = Segment(kept[-1].text.rstrip(), kept[-1].style)
    return kept


def _block(columns: Sequence[Column], cells: Sequence[Sequence[str]], block: Sequence[int]) -> Table:
    table = Table(box=None, padding=(0, SPACE_BETWEEN, 0, 0), pad_edge=False)
    for at in block:
        header = Text.assemble((columns[at].name, "bold"), "\n", (columns[at].type, "dim cyan"))
        right = columns[at].type.startswith(("INT", "FLOAT", "NUMERIC", "BIGNUMERIC"))
        table.add_column(
            header, justify="right" if right else "left", no_wrap=True, overflow="ellipsis", max_width=WIDEST_VALUE
        )
    for row in cells:
        table.add_row(*(Text(row[at], style="dim" if row[at] == "NULL" else "") for at in block))
    return table


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST_VALUE else f"{text[: WIDEST_VALUE - 1]}…"


def _instant(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC" if instant else "never"
