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
from local.ports import PROXY_VARIABLES, forget_proxies
from local.postgres import PostgresUnavailable, binaries
from local.pubsub import REQUESTS
from local.registration import dispatch, register
from local.sample_files import copy_samples
from local.system import REPOSITORY, System
from local.tabs import find_tabs

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
    console.print("Starting PostgreSQL, Pub/Sub, BigQuery, Sheets, Cloud Run and three functions …")
    with System(folder, samples, scheduler=True) as system:
        tabs, refused = find_tabs(LocalClients(system.settings).sheets, samples)
        for spreadsheet in refused:
            console.print(f"Left out: {spreadsheet}.xlsx cannot be read as a workbook", markup=False)
        register(system, tabs)
        exports = folder.with_suffix(".env")
        _write_exports(exports, system.settings)
        try:
            dispatch(system)
            _explain(console, system, exports)
            while True:
                system.check_running()
                time.sleep(SECONDS_BETWEEN_LOOKS)
        finally:
            exports.unlink(missing_ok=True)


def _write_exports(path: Path, settings: Mapping[str, str]) -> None:
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
    dispatch = system.addresses["dispatch"]
    psql = shlex.quote(_relative(binaries() / "psql"))
    steps = f"""
Spreadsheets: {_relative(system.samples)}/*.xlsx are copies: edit and save them.
Logs: {_relative(system.folder)}/logs/, of the job's executions {_relative(system.folder)}/run/logs/

In another terminal:
  source {_relative(exports)}
  curl -X POST {dispatch}/run
  gcloud pubsub topics publish {REQUESTS} --message='{{"name": "inventory"}}'
  .venv/bin/python -m local.look inventory
  .venv/bin/python job_helper.py list
  {psql} -c 'SELECT config_name, state, rows, ended_at FROM sheet_to_bigquery_runs'

dispatch is called every five minutes, its sweep every minute. Ctrl-C stops everything."""
    console.print(steps, markup=False)


def _relative(path: Path) -> str:
    """As typed from the repository's folder."""
    return os.path.relpath(path, REPOSITORY)


if __name__ == "__main__":
    sys.exit(main())
