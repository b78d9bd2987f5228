"""What is in a table of a running local system, or which tables it has.

source build/local.env
python -m local.look inventory
"""

import argparse
import os
import sys
from collections.abc import Sequence

from google.api_core.exceptions import NotFound
from rich.console import Console

from local.clients import LocalClients
from local.loaded import look_at_table
from local.summary import first_rows
from local.tabs import DATASET


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table's columns and first rows, or the tables' names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.look", description=__doc__.splitlines()[0])
    parser.add_argument("table", nargs="?", help="a table's name; without it, all are listed")
    parser.add_argument("--dataset", default=DATASET, help=f"the table's dataset ({DATASET} if not given)")
    options = parser.parse_args(arguments)
    if "BIGQUERY_EMULATOR_HOST" not in os.environ:
        parser.error("no local system is named: `make up` in another terminal, and source the file it tells")
    console = Console(highlight=False)
    client = LocalClients(os.environ).bigquery
    try:
        if options.table is None:
            for table in client.list_tables(options.dataset):
                console.print(table.table_id, markup=False)
        else:
            console.print(first_rows(look_at_table(client, options.dataset, options.table), console.width))
    except NotFound as error:
        console.print(f"✘ {error.message}", style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
