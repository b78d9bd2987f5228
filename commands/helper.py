"""`job_helper.py`: chooses the command, and imports that one only: Google's libraries are slow to load."""

import argparse
import os
from collections.abc import Sequence

from commands import exits
from commands.arguments import helper_parser
from commands.command_line import read_command_line
from commands.screen import Screen, silence_logs


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    given = read_command_line(helper_parser(), arguments, _check_usage)
    silence_logs()
    screen = Screen(given.json)
    return exits.answer(lambda: _run(given, screen), screen)


def _check_usage(given: argparse.Namespace) -> None:
    if given.command != "add":
        return
    for_url = ("project", "dataset", "table", "tab", "name", "custom_schema")
    if given.url is not None:
        missing = [f"--{name}" for name in ("project", "dataset") if getattr(given, name) is None]
        if missing:
            given.refuse(f"URL needs {' and '.join(missing)}")
    elif beside := [f"--{name.replace('_', '-')}" for name in for_url if getattr(given, name) is not None]:
        given.refuse(f"--config-file takes {', '.join(beside)} from the file: write it there")


def _run(given: argparse.Namespace, screen: Screen) -> int:
    environ = os.environ
    match given.command:
        case "execute":
            from commands.execute import execute

            return execute(given.config_file, given.wait, given.timeout, environ, screen)
        case "status":
            from commands.status import show_status

            return show_status(environ, screen)
        case "list":
            from commands.executions import show_executions

            return show_executions(given.limit, environ, screen)
        case "run":
            from commands.manual_run import run_configs

            return run_configs(given.configs, given.allow_shrink, given.wait, given.timeout, environ, screen)
        case "runs" | "show" | "watch":
            return _tell_runs(given, screen)
        case "configs":
            from commands.configs import show_configs

            return show_configs(given.configs, environ, screen)
        case "poison":
            return _run_poison(given, screen)
        case "add" | "remove" | "pause" | "resume" | "cancel":
            return _change(given, screen)
        case "doctor":
            from commands.doctor import doctor

            return doctor(given.config, given.config_file, environ, screen)
        case "plan":
            from commands.plan import plan

            return plan(given.config, given.config_file, environ, screen)
        case "usage":
            from commands.usage import show_usage

            return show_usage(given.logs, environ, screen)
        case _:
            from commands.example import example

            return example(screen)


def _tell_runs(given: argparse.Namespace, screen: Screen) -> int:
    """The commands that tell of runs."""
    environ = os.environ
    match given.command:
        case "runs":
            from commands.runs import show_runs

            return show_runs(given.config, given.limit, environ, screen)
        case "show":
            from commands.show import show_run

            return show_run(given.run, environ, screen)
        case _:
            from commands.watch import watch

            return watch(given.configs, given.once, environ, screen)


def _change(given: argparse.Namespace, screen: Screen) -> int:
    """The commands that change configs or runs."""
    environ = os.environ
    match given.command:
        case "pause":
            from commands.pausing import pause

            return pause(given.configs, given.reason, environ, screen)
        case "resume":
            from commands.pausing import resume

            return resume(given.configs, environ, screen)
        case "remove":
            from commands.remove import remove

            return remove(given.config, environ, screen)
        case "cancel":
            from commands.cancel import cancel_run

            return cancel_run(given.run, given.wait, given.timeout, environ, screen)
        case _:
            return _run_add(given, screen)


def _run_poison(given: argparse.Namespace, screen: Screen) -> int:
    from commands.poison import drop_poison, list_poison, retry_poison, show_poison

    if given.action in (None, "list"):
        return list_poison(os.environ, screen)
    action = {"show": show_poison, "retry": retry_poison, "drop": drop_poison}[given.action]
    return action(given.ids, os.environ, screen)


def _run_add(given: argparse.Namespace, screen: Screen) -> int:
    from commands.add import Wanted, add_from_file, add_from_url

    if given.config_file is not None:
        return add_from_file(given.config_file, given.frequency, os.environ, screen)
    wanted = Wanted(
        url=given.url,
        project=given.project,
        dataset=given.dataset,
        table=given.table,
        tab=given.tab,
        name=given.name,
        frequency=given.frequency,
        custom_schema=given.custom_schema,
    )
    return add_from_url(wanted, os.environ, screen)
