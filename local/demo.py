"""`make demo`: sheets land in BigQuery, and last_run moves, on this machine alone.

    python -m local.demo [--sheet /path/to/any.xlsx]

Exits 0 if everything is as it should be, 1 if anything is not, and leaves nothing running either way.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from local.clients import LocalClients
from local.component import ComponentFailed
from local.ending import end_in_order
from local.folder import claimed_folder
from local.loaded import LoadedTable, look_at_table
from local.ports import HOST, forget_proxies
from local.postgres import PostgresUnavailable
from local.progress import RunsUnfinished, follow, open_console, tell_of_stopping
from local.registration import dispatch, register
from local.runs import RunSeen, look_at_last_runs, look_at_runs
from local.sample_files import NotASpreadsheet, copy_own, copy_samples
from local.summary import Indented, Result, print_results
from local.system import CONSOLE_PORT, REPOSITORY, System
from local.tabs import DATASET, Tab, find_tabs, measure
from shared.counted import counted

# For the largest spreadsheet that a person may have on a busy machine; the samples take a few seconds.
SECONDS_TO_LOAD = 900


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description="Load sheets through the whole system.")
    parser.add_argument("--sheet", type=Path, help="an .xlsx file of your own, in place of the samples")
    options = parser.parse_args(arguments)
    console = open_console()
    end_in_order()
    forget_proxies()
    try:
        with claimed_folder(REPOSITORY / "build", "demo") as folder:
            return _show(console, folder, options.sheet)
    except (NotASpreadsheet, ComponentFailed, PostgresUnavailable, RunsUnfinished) as error:
        console.print(f"✘ {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return 130


def _show(console: Console, folder: Path, sheet: Path | None) -> int:
    """The demo in `folder`, which stays, for its logs, until the next one."""
    started = time.monotonic()
    samples = folder / "samples"
    if sheet is None:
        copy_samples(samples)
    else:
        copy_own(sheet.expanduser(), samples)
    console.print("[bold]Sheet to BigQuery[/] on this machine alone")
    with contextlib.ExitStack() as stack:
        with console.status("Starting PostgreSQL, Pub/Sub, BigQuery, Sheets, Cloud Run and three functions …"):
            system = stack.enter_context(System(folder, samples))
        stack.callback(tell_of_stopping, console)
        console.print(f"Started {len(system.processes)} processes in {time.monotonic() - started:.1f} s")
        results = load(console, system)
        print_results(console, results)
    return _conclude(console, folder, results, time.monotonic() - started)


def load(console: Console, system: System) -> list[Result]:
    """Register a config per tab, call dispatch, wait for the runs, and look at what came of them.

    Raises `NotASpreadsheet`, `RunsUnfinished`, and `ComponentFailed`.
    """
    clients = LocalClients(system.settings)
    tabs, refused = find_tabs(clients.sheets, system.samples)
    if refused:
        raise NotASpreadsheet(f"{', '.join(refused)} cannot be read as a workbook: open it and save it again")
    extents = {tab: measure(clients.sheets, tab) for tab in tabs}
    filled = [tab for tab, extent in extents.items() if extent.rows]
    if not filled:
        raise NotASpreadsheet("no visible tab has a header in row 1 and a row below it: there is nothing to load")
    for tab in extents.keys() - filled:
        console.print(f"Left out, without a row below row 1: {tab.spreadsheet} · {tab.title}", markup=False)
    configs = register(system, filled)
    before = look_at_last_runs(clients, list(configs))
    console.print(f"Registered {counted(len(configs), 'config')}; calling dispatch as Cloud Scheduler does")
    dispatch(system)

    def look() -> Sequence[RunSeen]:
        system.check_running()
        return look_at_runs(clients, list(configs))

    names = {config_id: tab.name for config_id, tab in configs.items()}
    runs = follow(console, names, look, SECONDS_TO_LOAD)
    after = look_at_last_runs(clients, list(configs))
    warnings = _warnings(clients, runs)
    return [
        Result(
            tab=tab,
            expected=extents[tab],
            runs=[run for run in runs if run.config_id == config_id],
            table=_table(clients, tab),
            last_run_before=before[config_id],
            last_run_after=after[config_id],
            warnings=[text for run in runs if run.config_id == config_id for text in warnings[run.id]],
        )
        for config_id, tab in configs.items()
    ]


def _warnings(clients: LocalClients, runs: Sequence[RunSeen]) -> dict[str, list[str]]:
    """What each run warned of, by its id, as the ledger keeps it."""
    statement = "SELECT id::text, coalesce(warnings, '[]') FROM sheet_to_bigquery_runs WHERE id::text = ANY(:ids)"
    return dict(clients.postgres.run(statement, ids=[run.id for run in runs]))


def _table(clients: LocalClients, tab: Tab) -> LoadedTable | None:
    from google.api_core.exceptions import NotFound

    try:
        return look_at_table(clients.bigquery, DATASET, tab.name)
    except NotFound:
        return None


def _conclude(console: Console, folder: Path, results: Sequence[Result], seconds: float) -> int:
    wrong = [result for result in results if result.problems]
    rows = sum(result.table.rows for result in results if result.table)
    console.print()
    if wrong:
        console.print(f"✘ {len(wrong)} of {len(results)} configs are not as they should be.", style="bold red")
        console.print(f"  Logs: {folder / 'logs'}; of the job: {folder / 'run' / 'logs'}", markup=False, soft_wrap=True)
        return 1
    verdict = Text.from_markup(
        f"[bold green]{counted(len(results), 'sheet')}, {counted(rows, 'row')}: every table has the rows and values of"
        f" its sheet[/] in {seconds:.1f} s; everything is stopped again."
    )
    console.print(Indented(verdict, 2, Text("✔ ", style="bold green")))
    console.print("  Next: make demo SHEET=/path/to/your.xlsx, or make up, which keeps it running", style="dim")
    console.print(f"  and serves a page of all runs at http://{HOST}:{CONSOLE_PORT}/.", style="dim")
    return 0


if __name__ == "__main__":
    sys.exit(main())
