"""`make up`: the whole system, left running until Ctrl-C, with its spreadsheets there to be edited.

python -m local.up
"""

import os
import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from local.clients import LocalClients
from local.component import ComponentFailed
from local.ending import end_in_order
from local.environment import PROJECT
from local.folder import claimed_folder
from local.ports import PROXY_VARIABLES, forget_proxies, is_free
from local.postgres import PostgresUnavailable
from local.progress import tell_of_stopping
from local.pubsub import REQUESTS
from local.registration import dispatch, register
from local.sample_files import copy_samples
from local.system import CONSOLE_PORT, REPOSITORY, System
from local.tabs import DATASET, find_tabs, measure

SECONDS_BETWEEN_LOOKS = 1


def main() -> int:
    """Run until Ctrl-C; returns the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    end_in_order()
    forget_proxies()
    build = REPOSITORY / "build"
    samples = build / "samples"
    copy_samples(samples)
    try:
        with claimed_folder(build, "local") as folder:
            return _run(console, folder, samples)
    except (ComponentFailed, PostgresUnavailable) as error:
        console.print(f"✘ {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return 0


def _run(console: Console, folder: Path, samples: Path) -> int:
    console.print("Starting PostgreSQL, Pub/Sub, BigQuery, Sheets, Cloud Run, the functions and an older service …")
    # The older service is there so that a migration can be tried: 160 MB, and a second of starting.
    port = CONSOLE_PORT if is_free(CONSOLE_PORT) else None
    with System(folder, samples, scheduler=True, with_service=True, with_console=True, console_port=port) as system:
        _register_samples(console, system)
        exports = folder.with_suffix(".env")
        write_exports(exports, system.settings)
        try:
            dispatch(system)
            _explain(console, system, exports)
            while True:
                system.check_running()
                time.sleep(SECONDS_BETWEEN_LOOKS)
        finally:
            exports.unlink(missing_ok=True)
            tell_of_stopping(console)


def _register_samples(console: Console, system: System) -> None:
    """A config per tab with rows; what is left out is told."""
    sheets = LocalClients(system.settings).sheets
    tabs, refused = find_tabs(sheets, system.samples)
    for spreadsheet in refused:
        console.print(f"Left out: {spreadsheet}.xlsx cannot be read as a workbook", markup=False)
    filled = [tab for tab in tabs if measure(sheets, tab).rows]
    for tab in tabs:
        if tab not in filled:
            console.print(f"Left out, without a row below row 1: {tab.spreadsheet} · {tab.title}", markup=False)
    register(system, filled)


def write_exports(path: Path, settings: Mapping[str, str]) -> None:
    """A file for `source`, readable by its owner only: it holds the database's password."""
    names = {
        **settings,
        # psql's own names for the same.
        "PGHOST": settings["POSTGRES_HOST"],
        "PGPORT": settings["POSTGRES_PORT"],
        "PGDATABASE": settings["POSTGRES_DB"],
        "PGUSER": settings["POSTGRES_USER"],
        "PGPASSWORD": settings["POSTGRES_PASSWORD"],
        # gcloud's, so that it asks the emulator.
        "CLOUDSDK_CORE_PROJECT": PROJECT,
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{settings['PUBSUB_EMULATOR_HOST']}/",
    }
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in names.items()]
    # All of these are on this machine.
    path.write_text("\n".join([*lines, f"unset {' '.join(PROXY_VARIABLES)}", ""]))


def _explain(console: Console, system: System, exports: Path) -> None:
    for name, address in system.addresses.items():
        console.print(f"  [bold]{name:<12}[/] {address}")
    samples = _relative(system.samples)
    steps = f"""
Open {system.addresses["console"]}/ to see what runs.

Spreadsheets: {samples}/*.xlsx are copies: edit and save them.
  {samples}/NAME.xlsx is https://docs.google.com/spreadsheets/d/NAME/edit
Logs: {_relative(system.folder)}/logs/, of the job's executions {_relative(system.folder)}/run/logs/

In another terminal:
  source {_relative(exports)}
  .venv/bin/python job_helper.py configs
  gcloud pubsub topics publish {REQUESTS} --project={PROJECT} --message='{{"name": "inventory"}}'
  .venv/bin/python job_helper.py runs
  .venv/bin/python -m local.look inventory

For a spreadsheet of your own, saved as {samples}/NAME.xlsx:
  .venv/bin/python job_helper.py add https://docs.google.com/spreadsheets/d/NAME/edit \\
    --project {PROJECT} --dataset {DATASET}

For a migration (MIGRATION_GUIDE.md), with a stand-in for the older service, which owns all configs from then on:
  .venv/bin/python migrate.py start
  .venv/bin/python -m local.portal inventory

dispatch is called every five minutes, its sweep every minute.
Ctrl-C stops everything; where this runs in the background, `kill {os.getpid()}` does."""
    console.print(steps, markup=False)


def _relative(path: Path) -> str:
    """As typed from the repository's folder."""
    return os.path.relpath(path, REPOSITORY)


if __name__ == "__main__":
    sys.exit(main())
