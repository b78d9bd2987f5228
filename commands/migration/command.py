"""`migrate.py`: chooses the command, and imports that one only."""

import argparse
import os
from collections.abc import Sequence

from commands import exits
from commands.command_line import read_command_line
from commands.migration.arguments import migrate_parser
from commands.screen import Screen, silence_logs
from shared import failpoints
from shared.settings import read_failpoints


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    given = read_command_line(migrate_parser(), arguments, _check_usage)
    silence_logs()
    failpoints.arm(read_failpoints(os.environ))
    screen = Screen(given.json)
    return exits.answer(lambda: _run(given, screen), screen)


def _check_usage(given: argparse.Namespace) -> None:
    if given.command == "rollback":
        if given.all == bool(given.names):
            given.refuse("it takes NAMEs, or --all")
        if not given.all and (given.no_cloud or given.env_file):
            given.refuse("--no-cloud and --env-file go with --all")
    if given.command == "types" and given.view and (not given.apply or len(given.names) != 1):
        given.refuse("--view goes with --apply, of one NAME")
    for text in ("reason", "force", "actor"):
        value = getattr(given, text, None)
        if value is not None and not value.strip():
            given.refuse(f"--{text} is blank")


def _run(given: argparse.Namespace, screen: Screen) -> int:
    environ = os.environ
    match given.command:
        case "start":
            from commands.migration.actor import Change, actor_of
            from commands.migration.start import start

            change = Change(actor_of(given.actor, environ), None, given.dry_run)
            return start(given.new, change, environ, screen)
        case "status":
            from commands.migration.status import show_status

            return show_status(given.names, not given.no_cloud, environ, screen)
        case "compare":
            from commands.migration.compare import compare_configs

            return compare_configs(given.names, given.key, given.rows, environ, screen)
        case "types":
            from commands.migration.actor import Change, actor_of
            from commands.migration.types import show_types

            change = Change(actor_of(given.actor, environ), given.reason, given.dry_run)
            return show_types(given.names, given.apply, given.view, change, environ, screen)
        case "costs":
            from commands.migration.costs import show_costs

            return show_costs(given.days, given.price, given.service_size, not given.no_cloud, environ, screen)
        case "history":
            from commands.migration.history import show_history

            return show_history(given.names, given.limit, environ, screen)
        case "finish":
            from commands.migration.finish import finish

            return finish(given.yes and not given.dry_run, given.actor, environ, screen)
        case _:
            return _change(given, screen)


def _change(given: argparse.Namespace, screen: Screen) -> int:
    """The commands that change owners."""
    from commands.migration.actor import Change, actor_of

    environ = os.environ
    change = Change(actor_of(given.actor, environ), given.reason, given.dry_run)
    match given.command:
        case "shadow":
            from commands.migration.shadow import shadow

            return shadow(given.names, given.wait, given.timeout, change, environ, screen)
        case "promote":
            from commands.migration.promote import promote

            return promote(given.names, given.matches, given.force, given.wait, change, environ, screen)
        case _:
            from commands.migration.rollback import rollback, rollback_all

            if given.all:
                return rollback_all(given.wait, not given.no_cloud, given.env_file, change, environ, screen)
            return rollback(given.names, given.wait, change, environ, screen)
