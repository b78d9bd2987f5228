"""`job_orchestrator.py`: dispatches once from a terminal or cron, and waits for the runs of this call."""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from commands import exits
from commands.arguments import add_json, positive
from commands.command_line import CommandLine, read_command_line
from commands.screen import Screen, silence_logs
from commands.settings_file import read_settings_file

_DESCRIPTION = """Runs the configs that are due and waits for them, as the dispatch function does without waiting.
Flags go before the file's settings, and these before the environment's. A password in a flag shows in `ps` to
everybody on the machine: POSTGRES_PASSWORD in the environment, or in a file that only you can read, does not.
Exit codes: 0 all succeeded, 1 one failed, 2 wrong usage or settings, 130 Ctrl-C (the runs go on)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Dispatches once and returns the exit code."""
    given = read_command_line(_parser(), arguments)
    silence_logs()
    screen = Screen(given.json)
    return exits.answer(lambda: _run(given, screen), screen)


def _run(given: argparse.Namespace, screen: Screen) -> int:
    # Into the environment itself: Google's libraries read their variables there.
    os.environ.update(_settings(given))
    from commands.orchestration import orchestrate
    from shared.dispatch import DispatchRequest

    request = DispatchRequest(given.dry_run, given.max_parallel_jobs, given.config_names)
    return orchestrate(request, os.environ, screen)


def _settings(given: argparse.Namespace) -> Mapping[str, str]:
    """What the file and the flags set; flags win."""
    file = read_settings_file(given.config_file) if given.config_file else {}
    flags = {
        "POSTGRES_HOST": given.postgres_host,
        "POSTGRES_DB": given.postgres_db,
        "POSTGRES_USER": given.postgres_user,
        "POSTGRES_PASSWORD": given.postgres_password,
        "POSTGRES_PORT": given.postgres_port,
    }
    return file | {name: value for name, value in flags.items() if value is not None}


def _parser() -> CommandLine:
    parser = CommandLine(prog="job_orchestrator.py", description=_DESCRIPTION)
    parser.add_argument("--postgres-host", metavar="HOST")
    parser.add_argument("--postgres-db", metavar="NAME")
    parser.add_argument("--postgres-user", metavar="NAME")
    parser.add_argument("--postgres-password", metavar="PASSWORD", help="better: POSTGRES_PASSWORD (see above)")
    parser.add_argument("--postgres-port", metavar="PORT")
    parser.add_argument("--config-file", type=Path, metavar="FILE", help="settings by their names, as JSON or YAML")
    parser.add_argument("--dry-run", action="store_true", help="tell what would run, and why the rest would not")
    parser.add_argument(
        "--max-parallel-jobs", type=positive, metavar="N", help="at most so many of this call's runs in flight"
    )
    parser.add_argument("--config-names", nargs="+", metavar="NAME", help="only configs of these names")
    add_json(parser, default=False)
    return parser
