"""What is in a table of a running local system, or which tables it has.

source build/local.env
python -m local.look inventory
"""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.interpreter import use_right_interpreter

if __name__ == "__main__":
    use_right_interpreter()

from google.api_core.exceptions import NotFound
from rich.console import Console

from local.clients import LocalClients
from local.loaded import look_at_table
from local.summary import Indented, first_rows
from local.tabs import DATASET

if TYPE_CHECKING:
    from google.cloud import bigquery


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table's columns and first rows, or the tables' names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.look", description=__doc__.splitlines()[0])
    parser.add_argument("table", nargs="?", help="a table's name, or DATASET.TABLE; without it, all are listed")
    parser.add_argument("--dataset", default=DATASET, help=f"the table's dataset ({DATASET} if not given)")
    options = parser.parse_args(arguments)
    if "BIGQUERY_EMULATOR_HOST" not in os.environ:
        parser.error("no local system is named: `make up` in another terminal, and source the file it tells")
    if options.table and "." in options.table:
        options.dataset, options.table = options.table.split(".")[-2:]
    console = Console(highlight=False)
    if not _answers(os.environ["BIGQUERY_EMULATOR_HOST"]):  # the client would ask again for ten minutes
        console.print("✘ the local system does not answer: is `make up` still running?", style="red", markup=False)
        return 1
    client = LocalClients(os.environ).bigquery
    try:
        if options.table is None:
            for table in client.list_tables(options.dataset):
                console.print(table.table_id, markup=False)
        else:
            table = look_at_table(client, options.dataset, options.table)
            console.print(Indented(first_rows(table, console.width), 0))
    except NotFound:
        missing = _missing(client, options.dataset, options.table)
        console.print(f"✘ {missing}", style="red", markup=False, soft_wrap=True)
        return 1
    return 0


def _answers(address: str) -> bool:
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=2).close()
    except OSError:
        return False
    return True


def _missing(client: "bigquery.Client", dataset: str, table: str | None) -> str:
    """What is not there, and what is."""
    try:
        tables = sorted(each.table_id for each in client.list_tables(dataset))
    except NotFound:
        return f"there is no dataset {dataset}: nothing has been loaded into it yet"
    there = ", ".join(tables) or "none yet"
    return f"there is no table {dataset}.{table}; there are: {there} (DATASET.TABLE names another dataset's)"


if __name__ == "__main__":
    sys.exit(main())
