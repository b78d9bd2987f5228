"""`python -m sql up | down | status`: applies the migrations to the database that the POSTGRES_* variables name."""

import argparse
import os
import sys

from shared.errors import SyncError
from shared.ledger.connection import connect
from shared.settings import read_database
from sql.migrations import down, status, up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sql", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status"], help="`down` takes back the newest migration")
    parser.add_argument("--yes", action="store_true", help="with `down`: yes, what it holds may go")
    given = parser.parse_args()
    command = given.command
    if command == "down" and not given.yes:
        print(
            "down takes the newest migration back with what its tables hold: the history of runs goes with the ledger."
        )
        print("Say so: python -m sql down --yes")
        return 2
    try:
        database = read_database(os.environ)
        with connect(database) as connection:
            verb = {"up": up, "down": down, "status": status}[command]
            for line in verb(connection, database.configs_table):
                print(line)
    except SyncError as error:
        print(f"{error.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
