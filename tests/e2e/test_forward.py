"""The portal's messages go to the owner of their config's table: once each, and never while another writes it."""

import base64
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.clients import LocalClients
from local.environment import PROJECT
from local.pubsub import PORTAL
from local.runs import RunSeen
from local.sample_files import copy_samples
from local.system import System
from shared.ledger.connection import connect
from shared.settings import read_database
from sql.tracking import start
from tests.e2e.conftest import DATASET, Team
from tests.e2e.test_poison import poison
from tests.e2e.test_samples import SAMPLES, visible_tabs

ROWS = [["Order No.", "amount"], ["007", 2.5], ["008", 3.5]]
# What the older service makes of them, and what the job does.
TEXT, TYPED = {"Order_No_": "STRING", "amount": "STRING"}, {"order_no": "STRING", "amount": "FLOAT64"}
# A busy machine takes three of them for the load itself.
SERVICE_SECONDS = 8


class Migration:
    """A team whose configs have owners, the older service beside them, and the portal that publishes to both."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.team = Team(system, LocalClients(system.settings))

    def add(self, owner: str | None, rows: list[list[Any]] = ROWS, **columns: Any) -> tuple[int, str]:
        """A config with its sheet: its id, and its name, which is its table's and its spreadsheet's."""
        name = self.team.unique("order")
        self.team.write_sheet(name, rows)
        columns = {"run_frequency_hours": 0, "migration_status": owner} | columns
        return self.team.add_config(name, **columns), name

    def message(self, config_id: int, name: str, **more: Any) -> dict[str, Any]:
        return {
            "id": config_id,
            "name": name,
            "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{name}/edit",
            "google_sheet_tab_name": "Sheet1",
            "google_cloud_project_id": PROJECT,
            "bigquery_dataset_id": DATASET,
            "bigquery_table_id": name,
            "schema_handling": "auto_detect",
            "custom_schema": None,
        } | more

    def publish(self, message: Any) -> str:
        """The message's id as the ledger keeps it."""
        return f"portal/{self.team.publish(message, PORTAL)}"

    def deliver(self, message: dict[str, Any], message_id: str) -> int:
        """One push of the message, as Pub/Sub makes it; the status of the answer."""
        data = base64.b64encode(json.dumps(message).encode()).decode()
        envelope = {"message": {"data": data, "messageId": message_id, "attributes": {}}, "subscription": "s"}
        url = f"{self.system.addresses['forward']}/projects/{PROJECT}/topics/{PORTAL}"
        return httpx.post(url, json=envelope, timeout=60, trust_env=False).status_code

    def order(self, **faults: Any) -> None:
        """What the older service is to meet from now on."""
        url = f"{self.system.addresses['service']}/faults"
        httpx.post(url, json=faults, trust_env=False).raise_for_status()

    def order_bigquery(self, **faults: Any) -> None:
        url = f"{self.system.addresses['bigquery']}/faults"
        headers = {"Authorization": "Bearer x"}
        httpx.post(url, json=faults, headers=headers, trust_env=False).raise_for_status()

    def asked(self, message_id: str) -> list[str]:
        """What the older service did with a message, as its log tells."""
        bare = message_id.removeprefix("portal/")
        lines = self.system.log("service").read_text().splitlines()
        return [line.partition(f" message {bare} ")[2] for line in lines if f" message {bare} " in line]

    def forwarded(self, message_id: str) -> tuple[int, int | None] | None:
        """How often a message was handed over, and the status that ended that."""
        found = self.team.clients.postgres.run(
            "SELECT attempts, status FROM sheet_to_bigquery_forwards WHERE message_id = :id", id=message_id
        )
        return (found[0][0], found[0][1]) if found else None

    def poison(self, message_id: str) -> str | None:
        found = self.team.clients.postgres.run(
            "SELECT reason FROM sheet_to_bigquery_messages WHERE message_id = :id AND verdict = 'poison'", id=message_id
        )
        return str(found[0][0]) if found else None

    def wait(self, comes: Callable[[], Any], seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := comes()):
            self.system.check_running()
            assert time.monotonic() < deadline, self.system.tail("forward")
            time.sleep(0.1)
        return found

    def sweep(self, config_id: int) -> list[RunSeen]:
        """Cloud Scheduler's call, and a config's runs after it."""
        self.team.sweep()
        return self.team.runs(config_id)

    def whys(self, config_id: int) -> list[str]:
        """What each run of a config was recorded for."""
        found = "SELECT why FROM sheet_to_bigquery_runs WHERE config_id = :id ORDER BY created_at"
        return [why for (why,) in self.team.clients.postgres.run(found, id=config_id)]

    def log(self) -> str:
        return self.system.log("forward").read_text()


@pytest.fixture(scope="module")
def migration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migration]:
    """A system of its own, whose configs have owners."""
    folder: Path = tmp_path_factory.mktemp("migration")
    (folder / "samples").mkdir()
    copy_samples(folder / "samples")
    (folder / "failpoints").mkdir()
    settings = {
        "SERVICE_TIMEOUT_SECONDS": str(SERVICE_SECONDS),
        "FAILPOINTS": str(folder / "failpoints"),
        "LEASE_SECONDS": "2",
        "RETRY_SECONDS": "1",
    }
    with System(folder, folder / "samples", settings=settings, with_service=True, faulty=True) as system:
        database = read_database(system.settings)
        with connect(database) as connection:
            list(start(connection, database.configs_table))
        yield Migration(system)


@pytest.fixture(autouse=True)
def healed(migration: Migration) -> Iterator[None]:
    yield
    migration.order()
    migration.order_bigquery(load_seconds=0.0)


def test_a_person_publishes_what_the_portal_would(migration: Migration) -> None:
    config_id, name = migration.add("service")
    command = [sys.executable, "-m", "local.portal", name]
    done = subprocess.run(command, env=migration.system.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [number] = re.findall(r"message (\d+)", done.stdout)
    migration.wait(lambda: migration.forwarded(f"portal/{number}") == (1, 200))
    assert (migration.team.types(name), migration.team.runs(config_id)) == (TEXT, [])
    command[-1] = "nobody"
    done = subprocess.run(command, env=migration.system.environment, capture_output=True, text=True, check=False)
    assert (done.returncode, 'no config named "nobody"' in done.stderr) == (1, True)


@pytest.mark.parametrize("owner", [None, "service"])
def test_the_older_service_gets_the_messages_of_its_configs(migration: Migration, owner: str | None) -> None:
    config_id, name = migration.add(owner)
    message_id = migration.publish(migration.message(config_id, name))
    migration.wait(lambda: migration.forwarded(message_id) == (1, 200))
    assert migration.team.types(name) == TEXT
    assert migration.asked(message_id) == ["began", "ended with 200"]
    assert migration.team.runs(config_id) == []
    assert migration.team.last_run(config_id) is None


def test_the_job_gets_the_messages_of_its_configs(migration: Migration) -> None:
    config_id, name = migration.add("job_ready")
    message_id = migration.publish(migration.message(config_id, name))
    [run] = migration.team.wait_for_runs(config_id)
    assert (run.state, migration.team.types(name)) == ("succeeded", TYPED)
    assert (migration.asked(message_id), migration.forwarded(message_id)) == ([], None)


def test_a_shadow_config_is_loaded_by_both_and_the_tables_are_equal(migration: Migration) -> None:
    config_id, name = migration.add("shadow")
    message, message_id = migration.message(config_id, name), migration.team.unique("m")
    assert [migration.deliver(message, message_id) for _ in range(3)] == [200] * 3
    [run] = migration.team.wait_for_runs(config_id)
    assert (migration.whys(config_id), run.state, run.error) == (["shadow"], "succeeded", None)
    assert migration.asked(message_id) == ["began", "ended with 200"]
    service, job = (f"`{PROJECT}.{dataset}.{name}`" for dataset in (DATASET, f"{DATASET}_shadow"))
    tables = [
        [dict(row.items()) for row in migration.team.clients.bigquery.query_and_wait(f"SELECT * FROM {each}")]
        for each in (service, job)
    ]
    assert in_order(tables[0]) == in_order(tables[1])
    assert list(tables[0][0]) == list(tables[1][0]) == list(TEXT)
    assert migration.team.last_run(config_id) is None


def test_a_shadow_that_was_not_recorded_is_when_the_message_comes_again(migration: Migration) -> None:
    config_id, name = migration.add("shadow")
    (migration.system.folder / "failpoints" / "forward.after_end").write_text("exit")
    message, message_id = migration.message(config_id, name), migration.team.unique("m")
    with pytest.raises(httpx.TransportError):
        migration.deliver(message, message_id)
    migration.system.stop("forward")
    migration.system.start("forward")
    assert (migration.team.runs(config_id), migration.deliver(message, message_id)) == ([], 200)
    migration.team.wait_for_runs(config_id)
    assert migration.whys(config_id) == ["shadow"]
    assert migration.asked(message_id).count("began") == 1


def test_a_promotion_in_the_middle_of_a_forward_lets_the_job_begin_when_the_older_service_is_done(
    migration: Migration,
) -> None:
    config_id, name = migration.add("service")
    migration.order(seconds=3)
    message_id = migration.publish(migration.message(config_id, name))
    migration.wait(lambda: migration.asked(message_id) == ["began"])
    migration.team.set_config(config_id, migration_status="job_ready")
    migration.team.publish({"config_id": config_id})
    migration.wait(lambda: migration.forwarded(message_id) == (1, 200))
    migration.wait(lambda: [run.state for run in migration.sweep(config_id)] == ["succeeded"])
    asked = "SELECT f.ended_at < r.claimed_at FROM sheet_to_bigquery_forwards f, sheet_to_bigquery_runs r"
    asked += " WHERE f.message_id = :message_id AND r.config_id = :config_id"
    values = {"message_id": message_id, "config_id": config_id}
    assert migration.team.clients.postgres.run(asked, **values) == [[True]]


def test_a_config_that_postgres_does_not_know_is_the_older_services(migration: Migration) -> None:
    _, name = migration.add("service")
    other = migration.team.unique("unknown")
    message_id = migration.publish(migration.message(900_000_000, name, bigquery_table_id=other))
    migration.wait(lambda: migration.forwarded(message_id) == (1, 200))
    assert migration.team.types(other) == TEXT


def test_a_message_that_is_delivered_again_and_again_is_forwarded_once(migration: Migration) -> None:
    config_id, name = migration.add("service")
    message, message_id = migration.message(config_id, name), migration.team.unique("m")
    migration.order(seconds=2)
    with ThreadPoolExecutor(3) as pool:
        at_once = sorted(pool.map(lambda _: migration.deliver(message, message_id), range(3)))
    # The first is at the older service, where nobody can tell what it does: the others are refused, and come again.
    assert at_once == [200, 500, 500]
    assert [migration.deliver(message, message_id) for _ in range(3)] == [200] * 3
    assert migration.asked(message_id) == ["began", "ended with 200"]
    assert migration.forwarded(f"portal/{message_id}") == (1, 200)


def test_a_message_that_the_job_took_is_not_forwarded_after_a_rollback(migration: Migration) -> None:
    config_id, name = migration.add("job_ready")
    message, message_id = migration.message(config_id, name), migration.team.unique("m")
    assert migration.deliver(message, message_id) == 200
    migration.team.wait_for_runs(config_id)
    migration.team.set_config(config_id, migration_status="service")
    assert migration.deliver(message, message_id) == 200
    assert migration.asked(message_id) == []


def test_a_message_that_the_older_service_took_is_not_run_after_a_promotion(migration: Migration) -> None:
    config_id, name = migration.add("service")
    message, message_id = migration.message(config_id, name), migration.team.unique("m")
    assert migration.deliver(message, message_id) == 200
    migration.team.set_config(config_id, migration_status="job_ready")
    assert migration.deliver(message, message_id) == 200
    assert migration.team.runs(config_id) == []


def test_what_the_older_service_fails_at_is_handed_to_it_again(migration: Migration) -> None:
    config_id, name = migration.add("service")
    migration.order(failing=2)
    message_id = migration.publish(migration.message(config_id, name))
    migration.wait(lambda: migration.forwarded(message_id) == (3, 200))
    assert migration.asked(message_id) == ["began", "ended with 500"] * 2 + ["began", "ended with 200"]
    assert migration.team.types(name) == TEXT
    assert "the older service answers 500" in migration.log()


@pytest.mark.parametrize("fault", ["hanging", "silent"])
def test_nothing_else_writes_a_table_while_nobody_knows_what_the_older_service_does(
    migration: Migration, fault: str
) -> None:
    """Not the same message, not another one: until it has given up for certain."""
    config_id, name = migration.add("service")
    migration.order(**{fault: 1})
    first, second = migration.team.unique("m"), migration.team.unique("m")
    message = migration.message(config_id, name)
    began = time.monotonic()
    assert migration.deliver(message, first) == 500
    assert SERVICE_SECONDS <= time.monotonic() - began < SERVICE_SECONDS + 10
    assert [migration.deliver(message, each) for each in (first, second)] == [500, 500]
    assert (migration.asked(first)[:1], migration.asked(second)) == (["began"], [])
    migration.team.clients.postgres.run(
        "UPDATE sheet_to_bigquery_forwards SET open_until = now() WHERE message_id = :id", id=f"portal/{first}"
    )
    assert [migration.deliver(message, each) for each in (first, second)] == [200, 200]
    assert migration.forwarded(f"portal/{first}") == (2, 200)


def test_a_run_in_flight_holds_the_messages_of_its_table_back(migration: Migration) -> None:
    config_id, name = migration.add("job_ready")
    migration.order_bigquery(load_seconds=4.0)
    migration.team.publish({"config_id": config_id})
    migration.wait(lambda: [run.state for run in migration.team.runs(config_id)] == ["running"])
    migration.team.set_config(config_id, migration_status="service")
    message_id = migration.publish(migration.message(config_id, name))
    migration.wait(lambda: "is in flight" in migration.log())
    assert (migration.asked(message_id), migration.forwarded(message_id)) == ([], None)
    migration.team.wait_for_runs(config_id)
    migration.order_bigquery(load_seconds=0.0)
    migration.wait(lambda: migration.forwarded(message_id) == (1, 200))
    assert migration.team.types(name) == TEXT


@pytest.mark.parametrize(
    ("point", "times"),
    [("forward.after_begin", 1), ("forward.after_answer", 2), ("forward.after_end", 1), ("forward.before_admit", 1)],
)
def test_a_function_that_dies_loses_no_message(migration: Migration, point: str, times: int) -> None:
    """And hands it over again only where nobody noted what came of it."""
    config_id, name = migration.add("service")
    (migration.system.folder / "failpoints" / point).write_text("exit")
    message, message_id = migration.message(config_id, name), migration.team.unique("m")
    with pytest.raises(httpx.TransportError):
        migration.deliver(message, message_id)
    migration.system.stop("forward")
    migration.system.start("forward")
    migration.team.clients.postgres.run("UPDATE sheet_to_bigquery_forwards SET open_until = now()")
    assert migration.deliver(message, message_id) == 200
    assert migration.team.types(name) == TEXT
    assert migration.asked(message_id).count("ended with 200") == times


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"no JSON", "is not JSON"),
        ({"table": "x"}, "config_id is missing"),
        ({"name": "nobody's", "bigquery_table_id": "t"}, "there is no config named"),
    ],
)
def test_what_nobody_can_act_on_is_kept_with_its_reason(migration: Migration, message: Any, reason: str) -> None:
    message_id = migration.publish(message)
    assert reason in migration.wait(lambda: migration.poison(message_id))


def test_a_message_for_a_table_of_the_jobs_is_kept_and_forwarded_once_somebody_put_that_right(
    migration: Migration, tmp_path: Path
) -> None:
    other, table = migration.add("job_ready")
    config_id, name = migration.add("service")
    message_id = migration.publish(migration.message(config_id, name, bigquery_table_id=table))
    assert "which the job replaces" in migration.wait(lambda: migration.poison(message_id))
    assert migration.asked(message_id) == []
    migration.team.set_config(other, is_active=False)
    published = poison(migration.team, tmp_path, "retry", message_id).split()[-1]
    migration.wait(lambda: migration.forwarded(f"portal/{published}") == (1, 200))
    assert migration.team.types(table) == TEXT


def test_parity_is_with_the_tables_of_the_stand_in(migration: Migration) -> None:
    """Of every sample: the older service makes what the job makes with schema_handling string, or both fail."""
    loaded = 0
    for sample in SAMPLES:
        for tab in visible_tabs(sample):
            name, job = migration.team.unique("service"), migration.team.unique("job")
            shared = {"google_sheet_tab_name": tab, "schema_handling": "string"}
            ids = [
                migration.team.add_config(each, sample.stem, tab, schema_handling="string", migration_status=owner)
                for each, owner in ((name, "service"), (job, "job_ready"))
            ]
            url = f"https://docs.google.com/spreadsheets/d/{sample.stem}/edit"
            message = migration.message(ids[0], name, google_sheet_url=url, **shared)
            message_id = migration.team.unique("m")
            status = migration.deliver(message, message_id)
            migration.team.publish({"config_id": ids[1]})
            [run] = migration.team.wait_for_runs(ids[1])
            assert (status == 200) == (run.state == "succeeded"), run.error
            if status == 200:
                loaded += 1
                assert migration.team.types(name) == migration.team.types(job)
                assert in_order(migration.team.table(name)) == in_order(migration.team.table(job))
    assert loaded > len(SAMPLES) / 2


def in_order(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.values()) for row in rows), key=repr)
