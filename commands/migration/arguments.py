"""What `migrate.py` takes on its command line."""

import argparse
from pathlib import Path
from typing import TypeAlias

from commands.arguments import add_command, add_json, positive
from commands.command_line import CommandLine

_DESCRIPTION = """Moves configs from the older service to the job, one by one, and back. A config's table has one owner
at any time: the service (service, shadow) or the job (job_ready). Settings come from the environment: README.md has the
table of them. Exit codes: 0 done, 1 failed, not equal or not done yet, 2 wrong usage or settings, 124 waited long
enough, 130 Ctrl-C."""
_Commands: TypeAlias = "argparse._SubParsersAction[CommandLine]"


def migrate_parser() -> CommandLine:
    """The parser; `command` is the chosen command's name. Raises `WrongUsage`."""
    parser = CommandLine(prog="migrate.py", description=_DESCRIPTION)
    add_json(parser, default=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_start(commands)
    status = add_command(commands, "status", "every config's owner, and what stands between it and the next step")
    _add_names(status, "*")
    status.add_argument("--no-cloud", action="store_true", help="do not look in BigQuery for others' writes")
    _add_shadow(commands)
    _add_compare(commands)
    _add_promote(commands)
    _add_rollback(commands)
    _add_finish(commands)
    _add_types(commands)
    _add_costs(commands)
    history = add_command(commands, "history", "who changed an owner when, and why")
    _add_names(history, "*")
    history.add_argument("--limit", type=positive, default=50, metavar="N", help="so many (50 if not given)")
    return parser


def _add_start(commands: _Commands) -> None:
    start = add_command(
        commands, "start", "mark whose each config's table is: from now on every change is written down"
    )
    start.add_argument(
        "--new",
        choices=("service", "job_ready"),
        default="service",
        help="whose the configs are that others add later (service if not given); `job_helper.py add` adds the job's",
    )
    _add_dry_run(start)
    _add_actor(start)


def _add_shadow(commands: _Commands) -> None:
    shadow = add_command(commands, "shadow", "load configs beside the service, once now, into a dataset of their own")
    _add_names(shadow, "+")
    shadow.add_argument("--no-wait", dest="wait", action="store_false", help="do not wait for the loads' ends")
    shadow.add_argument("--timeout", type=positive, metavar="SECONDS", help="wait so long; what goes on goes on")
    _add_reason(shadow)
    _add_dry_run(shadow)
    _add_actor(shadow)


def _add_compare(commands: _Commands) -> None:
    compare = add_command(
        commands, "compare", "compare the service's table with the shadow's; all in shadow without a NAME"
    )
    _add_names(compare, "*")
    compare.add_argument("--key", metavar="COLUMN", help="what tells rows apart; a column that is unique if not given")
    compare.add_argument(
        "--rows", action="store_true", help="show rows that differ, with their values, also where no terminal is"
    )


def _add_promote(commands: _Commands) -> None:
    promote = add_command(commands, "promote", "give configs' tables to the job")
    _add_names(promote, "+")
    promote.add_argument("--matches", type=positive, metavar="N", help="so many MATCH in a row (or MIGRATION_MATCHES)")
    promote.add_argument("--force", metavar="REASON", help="without them, for this reason")
    promote.add_argument(
        "--wait",
        type=_seconds,
        default=30,
        metavar="SECONDS",
        help="wait so long for the service's own loads (30 if not given)",
    )
    _add_reason(promote)
    _add_dry_run(promote)
    _add_actor(promote)


def _add_rollback(commands: _Commands) -> None:
    rollback = add_command(commands, "rollback", "give configs' tables back to the service, at once")
    _add_names(rollback, "*")
    rollback.add_argument("--all", action="store_true", help="all, pause the schedule, and the service's traffic again")
    rollback.add_argument("--no-cloud", action="store_true", help="with --all: the marks alone")
    rollback.add_argument("--env-file", type=Path, metavar="FILE", help="with --all: deploy.sh's, for names of its own")
    rollback.add_argument(
        "--wait",
        type=_seconds,
        default=60,
        metavar="SECONDS",
        help="wait so long for loads that BigQuery is at already (60 if not given)",
    )
    _add_reason(rollback)
    _add_dry_run(rollback)
    _add_actor(rollback)


def _add_finish(commands: _Commands) -> None:
    finish = add_command(commands, "finish", "show what the migration leaves behind, and with --yes drop it")
    finish.add_argument("--yes", action="store_true", help="yes, it may go")
    _add_dry_run(finish)
    _add_actor(finish)


def _add_types(commands: _Commands) -> None:
    types = add_command(commands, "types", "preview, column by column, what real types change in the job's tables")
    _add_names(types, "+")
    types.add_argument("--apply", action="store_true", help="let the next run load real types")
    types.add_argument("--view", metavar="NAME", help="with --apply, of one config: a view that keeps the old shape")
    _add_reason(types)
    _add_dry_run(types)
    _add_actor(types)


def _add_costs(commands: _Commands) -> None:
    costs = add_command(commands, "costs", "time, resources and cost of both systems, side by side")
    costs.add_argument("--days", type=positive, default=30, metavar="N", help="of the last N days (30 if not given)")
    costs.add_argument(
        "--price",
        action="append",
        default=[],
        metavar="NAME=DOLLARS",
        help="a price of yours; a wrong one lists all",
    )
    costs.add_argument("--service-size", metavar="CPU/MEMORY", help="of the service's instances (1/1Gi if not given)")
    costs.add_argument("--no-cloud", action="store_true", help="from the ledger alone")


def _seconds(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds: 0 to 86400")
    return number


def _add_names(parser: argparse.ArgumentParser, count: str) -> None:
    parser.add_argument("names", nargs=count, metavar="NAME", help="a config's id or name")


def _add_dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="examine everything, tell it, and change nothing")


def _add_reason(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", metavar="TEXT", help="why, for the audit")


def _add_actor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--actor", metavar="WHO", help="who, for the audit (MIGRATION_ACTOR, or user@host)")
