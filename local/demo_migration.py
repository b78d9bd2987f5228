"""`make demo-migration`: the sample sheets go from the older service to the job, on this machine alone.

    python -m local.demo_migration

Each step is the command that people type, with what it prints. Exits 0 if every table is as it should be in the end, 1
if anything is not, and leaves nothing running either way.
"""

import contextlib
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from local.clients import LocalClients
from local.component import ComponentFailed
from local.ending import end_in_order
from local.folder import claimed_folder
from local.loaded import LoadedTable, look_at_table
from local.portal import publish
from local.ports import forget_proxies
from local.postgres import PostgresUnavailable
from local.progress import open_console, tell_of_stopping
from local.registration import register
from local.sample_files import copy_samples
from local.system import REPOSITORY, System
from local.tabs import DATASET, Tab, find_tabs, measure
from shared.counted import counted
from shared.messages import ManualRequest

# Each takes a few; the rest is for a busy machine.
_SECONDS_FOR_A_STEP = 300
_SECONDS_BETWEEN_LOOKS = 0.2
# What came of the configs' messages since then: at the older service, and at the job.
_BY_SERVICE = """
SELECT config_id, bool_or(status = 200) FROM sheet_to_bigquery_forwards
WHERE ended_at >= to_timestamp(:since) GROUP BY config_id
"""
_BY_JOB = """
SELECT config_id, bool_or(state = 'succeeded') FROM sheet_to_bigquery_runs
WHERE why <> 'shadow' AND ended_at >= to_timestamp(:since) GROUP BY config_id
"""


class StepFailed(Exception):
    """A step did not do what it is there to show."""


def main() -> int:
    """Run the demo; returns the exit code."""
    console = open_console()
    end_in_order()
    forget_proxies()
    try:
        with claimed_folder(REPOSITORY / "build", "demo-migration") as folder:
            return _show(console, folder)
    except (StepFailed, ComponentFailed, PostgresUnavailable) as error:
        console.print(f"✘ {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return 130


def _show(console: Console, folder: Path) -> int:
    """The demo in `folder`, which stays, for its logs, until the next one."""
    started = time.monotonic()
    copy_samples(folder / "samples")
    console.print("[bold]From the older service to the job[/] on this machine alone")
    with contextlib.ExitStack() as stack:
        with console.status("Starting the system, and the older service beside it …"):
            system = stack.enter_context(System(folder, folder / "samples", with_service=True))
        stack.callback(tell_of_stopping, console)
        console.print(f"Started {len(system.processes)} processes in {time.monotonic() - started:.1f} s")
        rows = _Move(console, system).show()
    console.print()
    told = f"✔ {counted(rows, 'row')}: every table is the job's, and as the older service loaded it"
    console.print(f"{told}, in {time.monotonic() - started:.1f} s; everything is stopped again.", style="bold green")
    return 0


class _Move:
    """The way of the samples' configs, step by step."""

    def __init__(self, console: Console, system: System) -> None:
        self._console = console
        self._system = system
        self._clients = LocalClients(system.settings)
        tabs, _ = find_tabs(self._clients.sheets, system.samples)
        self._configs = register(system, [tab for tab in tabs if measure(self._clients.sheets, tab).rows])

    def show(self) -> int:
        """All steps; the rows that the tables hold then. Raises `StepFailed`."""
        before = self._begin()
        names = [tab.name for tab in self._configs.values()]
        self._tell("The job loads the same sheets beside it, into a dataset of its own")
        self._type("migrate.py", "shadow", *names)
        self._tell("BigQuery computes whether that is the same")
        self._type("migrate.py", "compare")
        self._tell("What is proved (once is enough here) goes to the job, and the portal's messages with it")
        self._type("migrate.py", "promote", *names, "--matches", "1")
        self._loaded(self._configs, _BY_JOB)
        self._go_back_and_come_again(*next(iter(self._configs.items())))
        self._tell("All tables are the job's: what the migration needed can go")
        self._type("migrate.py", "finish", "--yes")
        after = self._tables(self._configs)
        if wrong := [tab.name for tab in after if before[tab] != after[tab]]:
            raise StepFailed(f"not as the older service had loaded it: {', '.join(wrong)}")
        return sum(table.rows for table in after.values())

    def _begin(self) -> dict[Tab, LoadedTable]:
        """What the older service loads; a config that it fails at goes no further."""
        self._tell("From now on each config's row says whose its table is: the older service's")
        self._type("migrate.py", "start")
        self._tell("The portal publishes a message for each; it is handed to the table's owner, the older service")
        answered = self._publish(self._configs, _BY_SERVICE)
        for config_id in [config_id for config_id, is_loaded in answered.items() if not is_loaded]:
            name = self._configs.pop(config_id).name
            self._console.print(f"  ✘ the older service fails at {name}: it has no table to move", markup=False)
            self._type("job_helper.py", "remove", name)
        self._show(self._configs, "the older service")
        return self._tables(self._configs)

    def _go_back_and_come_again(self, config_id: int, tab: Tab) -> None:
        self._tell("One goes back, at once …")
        self._type("migrate.py", "rollback", tab.name, "--reason", "to show that it can")
        self._loaded({config_id: tab}, _BY_SERVICE)
        self._type("migrate.py", "status")
        self._tell("… and comes again")
        self._type("migrate.py", "shadow", tab.name)
        self._type("migrate.py", "compare", tab.name)
        self._type("migrate.py", "promote", tab.name, "--matches", "1")
        self._loaded({config_id: tab}, _BY_JOB)
        self._type("migrate.py", "history", tab.name)

    def _tell(self, what: str) -> None:
        self._console.print(f"\n[bold]{what}[/]")

    def _type(self, script: str, *arguments: str) -> None:
        """A command, with what it says."""
        self._console.print(f"$ python {shlex.join([script, *arguments])}", style="cyan", markup=False, soft_wrap=True)
        ended = subprocess.run(
            [sys.executable, script, *arguments],
            cwd=REPOSITORY,
            env={**self._system.environment, "MIGRATION_ACTOR": "you@demo"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS_FOR_A_STEP,
            check=False,
        )
        for line in ended.stdout.splitlines():
            self._console.print(f"  {line}".rstrip(), markup=False, soft_wrap=True)
        if ended.returncode != 0:
            raise StepFailed(f"{script} {arguments[0]} ended with {ended.returncode}")

    def _loaded(self, configs: Mapping[int, Tab], by: str) -> None:
        """Publishes a message for each, and shows what comes of it. Raises `StepFailed`."""
        answered = self._publish(configs, by)
        if wrong := [configs[config_id].name for config_id, is_loaded in answered.items() if not is_loaded]:
            raise StepFailed(f"not loaded: {', '.join(wrong)}")
        self._show(configs, "the older service" if by == _BY_SERVICE else "the job")

    def _publish(self, configs: Mapping[int, Tab], by: str) -> dict[int, bool]:
        """Whether each config was loaded for the message that the portal published. Raises `StepFailed`."""
        since = time.time()
        for config_id in configs:
            publish(self._system.environment, ManualRequest(id=config_id))
        until = time.monotonic() + _SECONDS_FOR_A_STEP
        while True:
            self._system.check_running()
            answered = dict(self._clients.postgres.run(by, since=since))
            if configs.keys() <= answered.keys():
                return answered
            if time.monotonic() > until:
                left = [tab.name for config_id, tab in configs.items() if config_id not in answered]
                raise StepFailed(f"nobody has loaded, after {_SECONDS_FOR_A_STEP} s: {', '.join(left)}")
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _show(self, configs: Mapping[int, Tab], who: str) -> None:
        for tab, table in self._tables(configs).items():
            types = ", ".join(sorted({column.type for column in table.columns}))
            told = f"{counted(table.rows, 'row')}, {counted(len(table.columns), 'column')}, {types}"
            self._console.print(f"  ✔ {who} loaded {DATASET}.{tab.name}: {told}", markup=False, soft_wrap=True)

    def _tables(self, configs: Mapping[int, Tab]) -> dict[Tab, LoadedTable]:
        return {tab: look_at_table(self._clients.bigquery, DATASET, tab.name) for tab in configs.values()}


if __name__ == "__main__":
    sys.exit(main())
