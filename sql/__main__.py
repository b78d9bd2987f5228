"""`python -m sql up | down | status`: applies the migrations to the database that the POSTGRES_* variables name."""

import argparse
import os
import sys

from shared.connection import connect
from shared.errors import SyncError
from shared.settings import read_database
from sql.migrations import down, status, up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sql", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status"], help="`down` takes back the newest migration")
    command = parser.parse_args().command
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
