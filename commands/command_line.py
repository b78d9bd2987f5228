"""A command line, and what is wrong with one: the usage for people, and an error object for machines."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from commands.exits import MISUSED
from commands.screen import Screen
from shared.errors import InvalidInput


class WrongUsage(InvalidInput):
    """A command line that is not understood by `command`; `usage` is how it is written."""

    def __init__(self, what: str, remedy: str, command: str, usage: str) -> None:
        super().__init__(what, remedy)
        self.command = command
        self.usage = usage


class CommandLine(argparse.ArgumentParser):
    """A parser, and its commands' parsers, that raise `WrongUsage` where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise WrongUsage(message, f"`{self.prog} --help` tells how it is written", self.prog, self.format_usage())


def read_command_line(
    parser: CommandLine,
    arguments: Sequence[str] | None,
    check: Callable[[argparse.Namespace], None] = lambda _: None,
) -> argparse.Namespace:
    """What the arguments say (the process' own if None), checked; a wrong command line ends the process with 2."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        given = parser.parse_args(arguments)
        check(given)
    except WrongUsage as wrong:
        # As argparse writes it. What was asked for in JSON is answered in it, however little of the rest is understood.
        sys.stderr.write(f"{wrong.usage}{wrong.command}: error: {wrong.what}\n")
        Screen(_wants_json(arguments)).json({"error": wrong.told})
        sys.exit(MISUSED)
    return given


def _wants_json(arguments: Sequence[str]) -> bool:
    """As argparse takes it, which knows an option by its first letters."""
    return any(each.startswith("--j") and "--json".startswith(each) for each in arguments)
