"""A team in the middle of its migration, as the console has to show it: a config of each owner, what was compared, and
what waits."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from local.environment import PROJECT
from shared.comparison import ColumnDifference, Compared, Differences, Verdict
from shared.ledger.connection import connect
from shared.ledger.store import Store
from shared.loaded import ColumnChange
from shared.settings import read_database
from shared.wiring import Wiring
from sql import tracking
from tests.browser.fleet import HOSTILE
from tests.e2e.conftest import DATASET, Team

DIFFERENCES = Differences(
    (ColumnChange(HOSTILE, "STRING NULLABLE", None),), (ColumnDifference("units", 1, 2, True),), True, True
)


@dataclass(frozen=True)
class Moving:
    """Configs that `mark` finds, each by its id: `proved` and `differs` in shadow, the others of who they are named
    after. `waiting` is a run of `differs`, which nobody begins.
    """

    mark: str
    proved: int
    differs: int
    services: int
    jobs: int
    waiting: str


@contextmanager
def migration(team: Team) -> Iterator[Moving]:
    """The system's configs are marked for the length of the block; those that were there are the service's then."""
    database = read_database(team.system.environment)
    mark = team.unique("moving")
    with connect(database) as connection:
        list(tracking.start(connection, database.configs_table, actor="ann@example.com"))
        try:
            with Wiring(team.system.environment).store() as store:
                yield _furnish(team, mark, store)
        finally:
            # What was marked here must not be the job's when the marks are gone.
            team.clients.postgres.run(
                "DELETE FROM sheet_to_bigquery_runs WHERE config_name LIKE :mark || '%' AND ended_at IS NULL", mark=mark
            )
            team.clients.postgres.run("DELETE FROM sheet_to_bigquery_configs WHERE name LIKE :mark || '%'", mark=mark)
            list(tracking.finish(connection, database.configs_table, anyway=True))


def _furnish(team: Team, mark: str, store: Store) -> Moving:
    def add(name: str, owner: str) -> int:
        table = f"{mark}_{name.partition(' ')[0]}"
        more = {"bigquery_table_id": table, "run_frequency_hours": 0, "migration_status": owner}
        return team.add_config(f"{mark} {name}", spreadsheet=mark, **more)

    owners = {"proved": "shadow", "differs": "shadow", "services": "service", "jobs": "job_ready"}
    ids = {name: add(f"{name} {HOSTILE}" if name == "differs" else name, owner) for name, owner in owners.items()}
    _compare(ids["proved"], f"{mark} proved", ("MATCH", "MATCH", "MATCH"), store)
    _compare(ids["differs"], f"{mark} differs", ("MISMATCH",), store)
    run_id = str(uuid.uuid4())
    team.clients.postgres.run(
        """INSERT INTO sheet_to_bigquery_runs
               (id, config_id, config_name, destination, slot, why, state, created_at, not_before, reads)
           VALUES (:id, :config_id, :name, :destination, now(), 'shadow', 'pending', now(),
               now() + interval '1 day', 1)""",
        id=run_id,
        config_id=ids["differs"],
        name=f"{mark} differs",
        destination=f"{PROJECT}.{DATASET}_shadow.{mark}_differs",
    )
    return Moving(mark=mark, waiting=run_id, **ids)


def _compare(config_id: int, name: str, verdicts: tuple[Verdict, ...], store: Store) -> None:
    table, now = store.list_owned([config_id])[0].table, store.now()
    for number, verdict in enumerate(verdicts):
        at = now + timedelta(milliseconds=number)
        differences = DIFFERENCES if verdict == "MISMATCH" else None
        store.record_comparison(
            Compared(
                config_id, name, at, table, f"{table}_shadow", verdict, str(uuid.uuid4()), at, at, 3, 2, differences
            )
        )
