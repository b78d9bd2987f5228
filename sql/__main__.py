"""`python -m sql up | down | status | grant ROLE… | revoke ROLE…`: keeps the database of the POSTGRES_* variables."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from shared.interpreter import leave_after, use_right_interpreter

if __name__ == "__main__":
    use_right_interpreter()

from shared.errors import SyncError
from shared.ledger.connection import connect
from shared.settings import read_database
from sql.grants import grant, revoke
from sql.migrations import down, status, up

_FOR_ROLES = {"grant": grant, "revoke": revoke}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sql", description=__doc__)
    parser.add_argument(
        "command", choices=["up", "down", "status", "grant", "revoke"], help="`down` takes back the newest migration"
    )
    parser.add_argument(
        "roles", nargs="*", metavar="ROLE", help="with `grant` and `revoke`: who may do what functions and commands do"
    )
    parser.add_argument("--yes", action="store_true", help="with `down`: yes, what it holds may go")
    given = parser.parse_args()
    command = given.command
    if (command in _FOR_ROLES) != bool(given.roles):
        parser.error("grant and revoke need at least one ROLE; the other commands take none")
    if command == "down" and not given.yes:
        print(
            "down takes the newest migration back with what its tables hold: the history of runs goes with the ledger."
        )
        print("Say so: python -m sql down --yes")
        return 2
    try:
        database = read_database(os.environ)
        with connect(database) as connection:
            for line in _run(command, given.roles, connection, database.configs_table):
                print(line)
    except SyncError as error:
        print(f"{error.name}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(command: str, roles: Sequence[str], connection: Any, configs_table: str) -> Iterator[str]:
    if command in _FOR_ROLES:
        return _FOR_ROLES[command](connection, configs_table, roles)
    return {"up": up, "down": down, "status": status}[command](connection, configs_table)


if __name__ == "__main__":
    leave_after(main)
