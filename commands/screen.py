"""Where a command writes: results to standard output, progress and trouble to standard error."""

import io
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Away from a terminal, lines are for `grep`, `awk` and cron's mail: nothing folds or cuts them.
_PLAIN_WIDTH = 10_000
_WHOLE = 19  # characters of an instant
_STYLES = {
    "succeeded": "green",
    "failed": "red",
    "refused": "red",
    "invalid": "red",
    "table conflict": "red",
    "bad frequency": "red",
    "cancelled": "yellow",
    "running": "cyan",
    "launching": "cyan",
    "due": "cyan",
}


class Screen:
    """Both streams of a command. With `as_json`, the result is one JSON value, and no table is drawn."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self._out = _console(sys.stdout)
        self.progress = _console(sys.stderr)

    @property
    def is_seen(self) -> bool:
        """Whether the result goes to a terminal, and so to a person alone: no file and no mail keeps it."""
        return self._out.is_terminal and not self.as_json

    def say(self, line: str = "") -> None:
        """A line of the result, for people."""
        if not self.as_json:
            self._out.print(Text(printable(line)), soft_wrap=True)

    def note(self, line: str) -> None:
        """A line beside the result, as progress is."""
        self.progress.print(Text(printable(line)), soft_wrap=True)

    def trouble(self, line: str) -> None:
        """A line that says what went wrong."""
        self.progress.print(Text(printable(line), style="red"), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Rows under their headings; empty cells for None; a state's word in its colour."""
        if self.as_json:
            return
        with self._out.capture() as drawn:
            self._out.print(table_of(columns, rows))
        # Without the last column's padding: lines that end where their text ends can be compared and cut.
        self._out.file.writelines(f"{line.rstrip()}\n" for line in drawn.get().splitlines())

    def json(self, value: Mapping[str, Any] | Sequence[Any] | msgspec.Struct) -> None:
        """The result for machines, on standard output, if they asked for it."""
        if self.as_json:
            text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
            sys.stdout.write(f"{text}\n")


def printable(text: str) -> str:
    """Text from a table or a cloud without the control characters that would steer a terminal."""
    return "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text)


def table_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """The table itself, as `Screen.table` draws it."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for number, column in enumerate(columns):
        cells = [row[number] for row in rows]
        numeric = any(isinstance(cell, int | float) for cell in cells)
        # Where a terminal is narrow, long names fold; times, states and numbers stay whole.
        whole = all(len(str(cell)) <= _WHOLE for cell in cells)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    return table


def silence_logs() -> None:
    """What the product logs when it runs unwatched, a command tells in its own words, or as its error."""
    logging.disable(logging.CRITICAL)


def _cell(value: Any) -> Text:
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else printable(str(value))
    return Text(text, style=_STYLES.get(text, ""))


def _console(stream: Any) -> Console:
    if isinstance(stream, io.TextIOWrapper):
        # Under an old locale, better a question mark than no line at all.
        stream.reconfigure(errors="replace")
    plain = not stream.isatty()
    return Console(file=stream, highlight=False, width=_PLAIN_WIDTH if plain else None)
