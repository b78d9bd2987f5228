"""A team that moves twenty configs: the whole system with the older service, its portal, and people at `migrate.py`."""

import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from google.cloud import bigquery

from local.environment import PROJECT
from local.system import REPOSITORY, System
from tests.e2e.conftest import DATASET
from tests.e2e.test_forward import Migration
from tests.migration.witness import Witness

HEADER = ("Order No.", "edition", "Unit Price", "paid")
# The gid of a new workbook's first tab: who renames it is found by that.
TAB, GID = "Orders", 0
AN_HOUR = 3600
SECONDS_BETWEEN_SWEEPS = 2
Done = subprocess.CompletedProcess[str]


class Config:
    """A config of the team's with its sheet, whose id and table have its name."""

    def __init__(self, config_id: int, name: str) -> None:
        self.id = config_id
        self.name = name
        self.tab = TAB
        self.edition = 0

    @property
    def table(self) -> str:
        return f"{PROJECT}.{DATASET}.{self.name}"

    def rows(self) -> list[tuple[Any, ...]]:
        """Of the sheet's edition, which every row tells."""
        count = 3 + self.edition % 3
        return [
            (f"{self.name}-{number:03}", f"v{self.edition}", 1.5 + number + self.edition, bool(number % 2) or None)
            for number in range(count)
        ]


class Team:
    """What they do, and what they wait for."""

    def __init__(self, system: System, witness: Witness, migration: Migration) -> None:
        self.system = system
        self.witness = witness
        self.portal = migration
        self.people = migration.team
        self.postgres = migration.team.clients.postgres
        self.points = system.folder / "failpoints"
        self.died_at: set[str] = set()
        self._publishing = threading.Lock()

    # -- sheets, configs and the portal ------------------------------------------------------------------

    def add(self, name: str) -> Config:
        url = f"https://docs.google.com/spreadsheets/d/{name}/edit#gid={GID}"
        columns = {"google_sheet_url": url, "google_sheet_tab_name": TAB, "run_frequency_hours": 24}
        config = Config(self.people.add_config(name, **columns), name)
        self.witness.watch(config.id, f"{DATASET}.{name}", f"{DATASET}_shadow.{name}")
        self.edit(config, AN_HOUR)
        return config

    def edit(self, config: Config, seconds_ago: float = 0) -> None:
        """Another edition of the sheet, edited so long ago."""
        config.edition += 1
        began = time.time()
        path = self.people.write_sheet(config.name, [HEADER, *config.rows()], config.tab)
        if seconds_ago:
            os.utime(path, (began - seconds_ago, began - seconds_ago))
        self.witness.note_edition(config.id, began, config.rows())

    def rename_tab(self, config: Config, title: str) -> None:
        """With the same edition; the portal does not know."""
        config.tab = title
        self.people.write_sheet(config.name, [HEADER, *config.rows()], title)

    def publish(self, *configs: Config) -> list[str]:
        """As the portal does: by the name that it knows of the tab. The ids of the messages."""
        ids = []
        for config in configs:
            message = self.portal.message(config.id, config.name, google_sheet_tab_name=TAB)
            with self._publishing:
                ids.append(self.portal.publish(message))
                self.witness.note_published(ids[-1])
        return ids

    def change_table(self, config: Config, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Somebody's own statement, which makes these rows of a table."""
        client: bigquery.Client = self.people.clients.bigquery
        job = client.query(statement)
        self.witness.note_edit(str(job.job_id), rows)
        job.result()

    @contextmanager
    def busy_portal(self, configs: Sequence[Config], seconds: float) -> Iterator[None]:
        """Meanwhile it publishes for one of the configs after another, and the sweep is called."""
        over = threading.Event()

        def publish() -> None:
            turns = itertools.cycle(configs)
            while not over.wait(seconds):
                self.publish(next(turns))
                self.people.sweep()

        with ThreadPoolExecutor(1) as pool:
            publishing = pool.submit(publish)
            try:
                yield
            finally:
                over.set()
        publishing.result()

    # -- migrate.py --------------------------------------------------------------------------------------

    def migrate(self, *arguments: str, code: int = 0) -> str:
        """What it prints; it ends with this code."""
        done = self._run(arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def verdicts(self, *configs: Config) -> dict[str, str]:
        """What a comparison of the configs says; of one that cannot be compared now, why not."""
        done = self._run(("compare", *(config.name for config in configs), "--json"))
        assert done.returncode in {0, 1}, done.stderr
        looked = {each["name"]: each for each in json.loads(done.stdout)}
        return {
            name: each["comparison"]["verdict"] if each["comparison"] else each["trouble"]
            for name, each in looked.items()
        }

    def wait_matches(self, configs: Sequence[Config]) -> None:
        """Compare until each was a MATCH: while the portal publishes, a shadow may be the older one."""
        left = list(configs)

        def compare() -> bool:
            found = self.verdicts(*left)
            left[:] = [config for config in left if found[config.name] != "MATCH"]
            return not left

        self.wait(compare)

    def migrate_dying(self, *arguments: str, at: Sequence[str]) -> str:
        """The command is killed at each of these points in turn, called again, and in the end does it all."""
        for point in at:
            self.migrate_once_dying(*arguments, at=point)
        return self.migrate(*arguments)

    def migrate_once_dying(self, *arguments: str, at: str) -> None:
        (self.points / f"migrate.{at}").write_text("exit")
        done = self._run(arguments)
        assert done.returncode == -9, f"at {at}: {done.stdout}{done.stderr}"
        self.died_at.add(f"migrate.{at}")

    def kill_migrate_as_it_waits(self, *arguments: str) -> None:
        """The command is killed where it waits for somebody's transaction, who has read the configs."""
        command = [sys.executable, str(REPOSITORY / "migrate.py"), *arguments]
        self.postgres.run("BEGIN")
        self.postgres.run("SELECT FROM sheet_to_bigquery_configs")
        with subprocess.Popen(command, env=self._environment, stdin=subprocess.DEVNULL) as process:
            self.wait(lambda: self.postgres.run("SELECT FROM pg_locks WHERE NOT granted"))
            process.kill()
        self.postgres.run("ROLLBACK")

    def _run(self, arguments: Sequence[str]) -> Done:
        return subprocess.run(
            [sys.executable, str(REPOSITORY / "migrate.py"), *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {**self.system.environment, "FAILPOINTS": str(self.points), "MIGRATION_ACTOR": "ana@desk"}

    # -- what there is -----------------------------------------------------------------------------------

    def marks(self, *configs: Config) -> set[str]:
        found = "SELECT DISTINCT coalesce(migration_status, 'service') FROM sheet_to_bigquery_configs"
        ids = [config.id for config in configs]
        return {mark for (mark,) in self.postgres.run(f"{found} WHERE id = ANY(:ids)", ids=ids)}

    def wait(self, comes: Callable[[], Any], seconds: float = 120) -> Any:
        return self.portal.wait(comes, seconds)

    def wait_forwarded(self, message_ids: Sequence[str]) -> None:
        """Until the older service has said 200 to each."""
        asked = "SELECT count(*) FROM sheet_to_bigquery_forwards WHERE message_id = ANY(:ids) AND status = 200"
        self.wait(lambda: self.postgres.run(asked, ids=list(message_ids)) == [[len(message_ids)]])

    def wait_run(self, message_ids: Sequence[str]) -> None:
        """Until the job has loaded for each, and nothing is under way."""
        asked = "SELECT count(*) FROM sheet_to_bigquery_messages WHERE message_id = ANY(:ids) AND verdict <> 'poison'"
        self.wait(lambda: self.postgres.run(asked, ids=list(message_ids)) == [[len(message_ids)]])
        self.wait_quiet()

    def wait_quiet(self) -> None:
        """Until no run is open and nothing is at the older service, the sweep's calls in between."""
        asked = """
        SELECT (SELECT count(*) FROM sheet_to_bigquery_runs WHERE ended_at IS NULL)
             + (SELECT count(*) FROM sheet_to_bigquery_forwards WHERE ended_at IS NULL AND open_until > now())
        """

        swept = 0.0

        def is_quiet() -> bool:
            nonlocal swept
            if self.postgres.run(asked) == [[0]]:
                return True
            if time.monotonic() - swept > SECONDS_BETWEEN_SWEEPS:
                self.people.sweep()
                swept = time.monotonic()
            return False

        self.wait(is_quiet)

    def has_runs(self, config: Config) -> bool:
        """Runs as its table's owner."""
        asked = "SELECT count(*) FROM sheet_to_bigquery_runs WHERE config_id = :id AND why <> 'shadow'"
        return bool(self.postgres.run(asked, id=config.id)[0][0])

    def state_of_newest_run(self, config: Config) -> str:
        asked = "SELECT state FROM sheet_to_bigquery_runs WHERE config_id = :id ORDER BY created_at DESC LIMIT 1"
        return str(self.postgres.run(asked, id=config.id)[0][0])

    def holds(self, config: Config) -> list[tuple[str, ...]]:
        """The orders' numbers and editions that the config's table has."""
        return sorted(tuple(row.values())[:2] for row in self.people.table(config.name))


def points_in_commands() -> set[str]:
    """Every point at which `migrate.py` can be killed."""
    sources = Path(REPOSITORY / "commands" / "migration").glob("*.py")
    return {point for source in sources for point in re.findall(r'failpoint\("([^"]+)"\)', source.read_text())}
