"""`python -m local.bench.console`: measure the pages over a large ledger, print and keep their times and sizes.

Through the staged function under functions-framework, as a browser asks, one request at a time; nothing is kept warm
but PostgreSQL's own pages.
"""

import argparse
import http.client
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pg8000.native
from rich.console import Console
from rich.table import Table

from local import functions
from local.bench.console import fleet
from local.bench.surroundings import commit, machine
from local.component import ComponentFailed, wait_until_ready
from local.ending import end_in_order
from local.environment import CONSOLE_USER, PROJECT
from local.ports import HOST, reserve_port
from local.postgres import SUPERUSER, Postgres, server_version
from local.servers import REPOSITORY
from shared.ledger.connection import connect
from shared.settings import Database, read_database
from sql.migrations import up
from sql.tracking import start

HISTORY = Path(__file__).with_name("history.jsonl")
# What people ask for first, and what makes PostgreSQL work most; `{long}` is the config that has many runs, `{middle}`
# an instant within its history, `{run}` a run of it.
PATHS = {
    "overview": "/",
    "its JSON": "/overview.json",
    "failed ones": "/?state=failed",
    "a search": "/?search=region+77",
    "most rows first": "/?sort=rows&order=down",
    "most late first": "/?sort=freshness",
    "the last page": "/?sort=name&page=200",
    "a config": "/configs/77",
    "one of many runs": "/configs/{long}",
    "its JSON twin": "/configs/{long}.json",
    "amid its runs": "/configs/{long}?before={middle}",
    "its oldest runs": "/configs/{long}?after=1970-01-01T00:00:00Z",
    "a run of it": "/runs/{run}",
}
# The same while the team moves from the older service.
PATHS_MEANWHILE = {
    "the migration": "/migration",
    "its JSON": "/migration.json",
    "a search in it": "/migration?search=region+77",
    "its last page": "/migration?page=200",
    "a shadow": "/configs/77",
    "one of many runs": "/configs/{long}",
    "the overview": "/",
}
SECONDS_TO_START = 60


@dataclass(frozen=True)
class Size:
    """A ledger: so many `configs`, due every so many `hours`, with so many `runs` each, and one with `long` of them."""

    configs: int
    hours: int
    runs: int
    long: int

    def __str__(self) -> str:
        every = "hour" if self.hours == 1 else f"{self.hours} hours"
        return f"{self.configs:,} configs, due every {every}, and {self.configs * self.runs + self.long:,} runs"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure the console's pages over a large ledger")
    parser.add_argument("--configs", type=int, default=10_000)
    parser.add_argument("--hours", type=int, default=1, help="so often is each of them due")
    parser.add_argument("--runs", type=int, default=100, help="so many runs has each of them")
    parser.add_argument("--long", type=int, default=100_000, help="so many runs has one more, which is hourly")
    parser.add_argument("--rounds", type=int, default=10, help="measured requests of each page")
    parser.add_argument("--history", type=Path, default=HISTORY, help="file that gets a line a measurement")
    options = parser.parse_args(arguments)
    size = Size(options.configs, options.hours, options.runs, options.long)
    end_in_order()
    try:
        with _served(size) as (address, database, filling):
            measured = _measure_all(address, PATHS, size, options.rounds)
            with connect(database) as connection:
                list(start(connection, database.configs_table))
            fleet.move(filling)
            meanwhile = _measure_all(address, PATHS_MEANWHILE, size, options.rounds)
    except ComponentFailed as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    Console().print(_table(f"The console over {size}", measured))
    Console().print(_table("The same while a team moves from the older service, its configs in shadow", meanwhile))
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        **asdict(size),
        "rounds": options.rounds,
        "commit": commit(),
        "machine": machine(),
        "postgres": server_version(),
        "pages": measured,
        "meanwhile": meanwhile,
    }
    with options.history.open("a") as history:
        history.write(json.dumps(line) + "\n")


@contextmanager
def _served(size: Size) -> Iterator[tuple[str, Database, Any]]:
    """The console's address, over a ledger of its own, and that, as the product and as its superuser."""
    with tempfile.TemporaryDirectory(prefix="bench-console-") as name:
        folder = Path(name)
        postgres = Postgres.in_folder(folder / "postgres", reserve_port())
        postgres.create_cluster()
        server = postgres.component(os.environ, folder / "postgres.log")
        functions.stage(REPOSITORY, folder / "build")
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "CONSOLE_USER": CONSOLE_USER,
            **postgres.settings,
        }
        console = functions.function("console", folder / "build", reserve_port(), environment, folder / "console.log")
        try:
            server.start()
            wait_until_ready([server], SECONDS_TO_START)
            postgres.create_database()
            database = read_database(environment)
            filling = _filled(postgres, database, size)
            console.start()
            wait_until_ready([console], SECONDS_TO_START)
            yield console.address, database, filling
        finally:
            console.stop()
            server.stop()


def _filled(postgres: Postgres, database: Database, size: Size) -> Any:
    with connect(database) as connection:
        list(up(connection, database.configs_table))
    filling = pg8000.native.Connection(
        SUPERUSER, host=HOST, port=postgres.port, database=database.postgres_db, password=postgres.password
    )
    fleet.fill(filling, **asdict(size))
    return filling


def _measure_all(address: str, paths: dict[str, str], size: Size, rounds: int) -> dict[str, dict[str, float]]:
    return {name: _measure(address, path, rounds) for name, path in _named(paths, address, size).items()}


def _named(paths: dict[str, str], address: str, size: Size) -> dict[str, str]:
    """The paths, with what is there."""
    long = size.configs + 1
    runs = json.loads(_ask(address, f"/configs/{long}.json")[1])["runs"]
    middle = datetime.now(UTC) - timedelta(hours=size.long // 2)
    named = {"long": long, "middle": f"{middle:%Y-%m-%dT%H:%M:%SZ}", "run": runs[-1]["id"]}
    return {name: path.format(**named) for name, path in paths.items()}


def _measure(address: str, path: str, rounds: int) -> dict[str, float]:
    """The median and the worst time to the first byte, in milliseconds, and the page's size in bytes."""
    _ask(address, path)  # the first one reads from disk, and compiles the template
    asked = [_ask(address, path) for _ in range(rounds)]
    times = [milliseconds for milliseconds, _ in asked]
    return {"first_byte_ms": round(statistics.median(times)), "worst_ms": round(max(times)), "bytes": len(asked[-1][1])}


def _ask(address: str, path: str) -> tuple[float, bytes]:
    """The milliseconds to the answer's first byte, and the answer."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    try:
        begun = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        first = answer.read(1)
        milliseconds = (time.perf_counter() - begun) * 1000
        body = first + answer.read()
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise ComponentFailed(f"the console answers {answer.status} to {path}")
    return milliseconds, body


def _table(title: str, measured: dict[str, dict[str, float]]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("page")
    for heading in ("first byte, ms", "worst, ms", "size, KB"):
        table.add_column(heading, justify="right")
    for name, told in measured.items():
        table.add_row(name, f"{told['first_byte_ms']:,}", f"{told['worst_ms']:,}", f"{told['bytes'] / 1000:,.0f}")
    return table


if __name__ == "__main__":
    main()
