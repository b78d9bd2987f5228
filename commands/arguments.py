"""What `job_helper.py` takes on its command line."""

import argparse
from pathlib import Path

from commands.command_line import CommandLine

_DESCRIPTION = """Runs and looks after Sheet to BigQuery. Settings come from the environment: README.md has the
table of them. Exit codes: 0 done, 1 failed, 2 wrong usage, settings or file, 124 waited long enough, 130 Ctrl-C."""


def helper_parser() -> CommandLine:
    """The parser; `command` is the chosen command's name. Raises `WrongUsage`."""
    parser = CommandLine(prog="job_helper.py", description=_DESCRIPTION)
    add_json(parser, default=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_execute(commands)
    add_command(commands, "status", "the deployed job, its newest executions, and the ledger")
    _add_limit(add_command(commands, "list", "the job's newest executions"), 10)
    add_command(commands, "example", "print a config file to begin with")
    _add_run(commands)
    _add_runs(commands)
    configs = add_command(commands, "configs", "every config, or some, whether they are due, and when")
    configs.add_argument("configs", nargs="*", metavar="CONFIG", help="a config's id or name; all if not given")
    _add_add(commands)
    _add_pause(commands)
    _add_remove(commands)
    _add_cancel(commands)
    _add_poison(commands)
    _add_doctor(commands)
    _add_plan(commands)
    _add_usage(commands)
    return parser


def positive(text: str) -> int:
    """A whole number from 1."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return number


def _hours(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= 876_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of hours: 0 (manual only) to 876000")
    return number


def _add_execute(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    execute = add_command(commands, "execute", "run the job once for a config file, without the ledger")
    execute.add_argument("--config-file", type=Path, required=True, metavar="FILE", help="`example` prints one")
    _add_waiting(execute)


def _add_run(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    run = add_command(commands, "run", "run configs once by hand, through the request topic")
    run.add_argument("configs", nargs="+", metavar="CONFIG", help="a config's id or name")
    run.add_argument("--allow-shrink", action="store_true", help="load however many rows are gone (max_shrink), once")
    _add_waiting(run)


def _add_runs(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    runs = add_command(commands, "runs", "the ledger's newest runs, of all configs or of one")
    runs.add_argument("config", nargs="?", metavar="CONFIG", help="a config's id or name; all if not given")
    _add_limit(runs, 20)
    show = add_command(commands, "show", "all that is known of one run: its end, columns, times, and where to look")
    show.add_argument("run", metavar="RUN", help="a run's id, or its first digits as `runs` shows them")
    watch = add_command(commands, "watch", "what runs and waits, and what ended lately, again and again until Ctrl-C")
    watch.add_argument("configs", nargs="*", metavar="CONFIG", help="a config's id or name; all if not given")
    watch.add_argument("--once", action="store_true", help="look once (as with --json)")


def _add_add(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    add = add_command(commands, "add", "register a config without SQL")
    source = add.add_mutually_exclusive_group(required=True)
    source.add_argument("url", nargs="?", metavar="URL", help="the spreadsheet's address, as the browser shows it")
    source.add_argument("--config-file", type=Path, metavar="FILE", help="a config file, as `example` prints one")
    add.add_argument("--project", help="the destination's project (needed with URL)")
    add.add_argument("--dataset", help="the destination's dataset (needed with URL)")
    add.add_argument("--table", help="the destination's table; made of the spreadsheet's title if not given")
    add.add_argument("--tab", metavar="NAME", help="the tab to read; by the URL's gid, or the first, if not given")
    add.add_argument("--name", help="the config's name; the spreadsheet's title if not given")
    add.add_argument("--frequency", type=_hours, metavar="HOURS", help="0: only by hand; a day if not given")
    add.add_argument("--custom-schema", type=Path, metavar="FILE", help="a JSON list of columns: name, type, mode")


def _add_pause(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    pause = add_command(commands, "pause", "let nothing new of configs begin; an open attempt ends as it does")
    pause.add_argument("configs", nargs="+", metavar="CONFIG", help="a config's id or name")
    pause.add_argument("--reason", metavar="TEXT", help="shown wherever it is told that they are paused")
    resume = add_command(commands, "resume", "let paused configs run again")
    resume.add_argument("configs", nargs="+", metavar="CONFIG", help="a config's id or name")


def _add_remove(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    remove = add_command(commands, "remove", "forget a config for good; its table, its sheet and its runs stay")
    remove.add_argument("config", metavar="CONFIG", help="a config's id or name")


def _add_cancel(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    cancel = add_command(commands, "cancel", "end a run that has not loaded yet; the config's next one comes as ever")
    cancel.add_argument("run", metavar="RUN", help="a run's id, or its first digits as `runs` shows them")
    _add_waiting(cancel)


def _add_poison(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    poison = add_command(commands, "poison", "messages that were not understood: list, show, retry or drop them")
    actions = poison.add_subparsers(dest="action", metavar="ACTION")
    add_command(actions, "list", "the newest of them, with the reasons (also without ACTION)")
    for name, purpose in (
        ("show", "show messages with their bodies"),
        ("retry", "publish messages again, after what they name was mended"),
        ("drop", "mark messages as seen: they are listed no more"),
    ):
        add_command(actions, name, purpose).add_argument("ids", nargs="+", metavar="MESSAGE", help="a message's id")


def _add_doctor(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    _add_config(add_command(commands, "doctor", "check what a config's run needs, and tell the remedies"))


def _add_plan(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    _add_config(add_command(commands, "plan", "tell what a run would read, decide and change; nothing is written"))


def _add_usage(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    usage = add_command(commands, "usage", "tell from the older service's log how it is used, and propose frequencies")
    usage.add_argument(
        "--logs", type=Path, required=True, metavar="FILE", help="what `gcloud logging read … --format=json` printed"
    )


def _add_config(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("config", nargs="?", metavar="CONFIG", help="a config's id or name")
    source.add_argument("--config-file", type=Path, metavar="FILE", help="the config in a file, as `execute` runs it")


def add_command(commands: "argparse._SubParsersAction[CommandLine]", name: str, purpose: str) -> CommandLine:
    """A command's own parser; `refuse` of what it parsed raises `WrongUsage`, with that command's usage."""
    parser = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
    parser.set_defaults(refuse=parser.error)
    # People write it behind the command as well; absent there, it must not undo the one in front.
    add_json(parser, default=argparse.SUPPRESS)
    return parser


def add_json(parser: argparse.ArgumentParser, default: bool | str) -> None:
    """`--json`, in front of a command (False) or behind it (SUPPRESS)."""
    parser.add_argument("--json", action="store_true", default=default, help="print the result as JSON, for machines")


def _add_limit(parser: argparse.ArgumentParser, default: int) -> None:
    parser.add_argument(
        "--limit", type=positive, default=default, metavar="N", help=f"so many ({default} if not given)"
    )


def _add_waiting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-wait", dest="wait", action="store_false", help="do not wait for the end")
    parser.add_argument("--timeout", type=positive, metavar="SECONDS", help="wait so long; what goes on goes on")
