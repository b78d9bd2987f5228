"""A system whose every API call is noted with who made it, and a day's work in it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from local.clients import LocalClients
from local.environment import PROJECT
from local.ports import HOST, direct
from local.pubsub import PORTAL
from local.scheduler import call
from local.system import System
from tests.e2e.conftest import DATASET, Team
from tests.e2e.visitor import Visitor
from tests.faults.hops.http_faults import delay, lose_reply
from tests.faults.hops.rules import Rule
from tests.once import made_once
from tests.permissions.recorder import Recorder
from tests.permissions.table import Made

REPOSITORY = Path(__file__).parents[2]
ROWS = [["id", "amount"], [1, 2.5], [2, 3.5]]
# Longer than a command and a sweep take.
SECONDS_TO_CANCEL = 20


class Office:
    """A team whose system's calls are noted."""

    def __init__(self, system: System, recorder: Recorder) -> None:
        self.team = Team(system, LocalClients(system.settings))
        self.system = system
        self.recorder = recorder

    def add(self, name: str, **options: Any) -> int:
        """A config that runs by hand, with its sheet."""
        self.team.write_sheet(name, ROWS)
        return self.team.add_config(name, run_frequency_hours=0, options=json.dumps(options))

    def post(self, path: str) -> None:
        """Cloud Scheduler's call."""
        call(f"http://{HOST}:{self.recorder.ports['dispatch']}", path, self.system.key_file)

    def look(self, path: str) -> None:
        """A person's browser at the console."""
        with direct.open(f"http://{HOST}:{self.recorder.ports['console']}{path}", timeout=30) as answer:
            assert answer.status == 200

    def press(self, config_id: int) -> None:
        """A person's button at the console: run it now."""
        visitor = Visitor(f"http://{HOST}:{self.recorder.ports['console']}")
        visitor.do(f"/configs/{config_id}/run", page=f"/configs/{config_id}/run")

    def run(self, config_id: int, count: int = 1) -> None:
        """One more run, to its good end."""
        self.team.publish({"config_id": config_id})
        assert self.team.wait_for_runs(config_id, count=count)[-1].state == "succeeded"

    def help(self, *arguments: str, script: str = "job_helper.py") -> None:
        """A command, which has to work."""
        command = [sys.executable, script, *arguments]
        environment = dict(self.system.environment)
        done = subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def sweep_until(self, config_id: int, state: str) -> None:
        deadline = time.monotonic() + 60
        while [run.state for run in self.team.runs(config_id)] != [state]:
            assert time.monotonic() < deadline, self.team.runs(config_id)
            self.post("/sweep")
            time.sleep(0.3)

    def wait_until(self, config_id: int, state: str) -> None:
        deadline = time.monotonic() + 30
        while [run.state for run in self.team.runs(config_id)] != [state]:
            assert time.monotonic() < deadline, self.team.runs(config_id)
            time.sleep(0.05)

    def has_table(self, name: str) -> bool:
        tables = self.team.clients.bigquery.list_tables(f"{PROJECT}.{DATASET}")
        return name in [table.table_id for table in tables]

    def kill_execution(self) -> None:
        """kill -9 the next execution's process, as soon as there is one."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for entry in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    told = (entry / "environ").read_bytes()
                    if b"CLOUD_RUN_EXECUTION=" in told and str(self.system.key_file).encode() in told:
                        os.kill(int(entry.name), signal.SIGKILL)
                        return
            time.sleep(0.02)
        pytest.fail("no execution began")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> set[Made]:
    """Who made which call while the office worked."""
    folder = made_once(tmp_path_factory, "permissions", work_and_note)
    return {Made(*each) for each in json.loads((folder / "made.json").read_text())}


def work_and_note(folder: Path) -> None:
    (folder / "samples").mkdir()
    (folder / "system").mkdir()
    recorder = Recorder()
    # With one place, whoever ends a run has another one to admit.
    settings = {"LEASE_SECONDS": "2", "RETRY_SECONDS": "1", "SWEEP_SECONDS": "1", "MAX_RUNNING": "1"}
    try:
        places = folder / "system", folder / "samples"
        with System(*places, settings=settings, detour=recorder.detour, with_service=True, with_console=True) as system:
            work(Office(system, recorder))
    finally:
        recorder.stop()
    (folder / "made.json").write_text(json.dumps(sorted(recorder.made)))


def work(office: Office) -> None:
    """All that a deployment does within its grants: its datasets are there."""
    office.team.clients.bigquery.create_dataset(f"{PROJECT}.{DATASET}")
    load_in_every_mode(office)
    settle_without_complete(office)
    settle_by_complete(office)
    by_hand(office)
    plan(office)
    at_the_console(office)
    move(office)
    forward(office)


def load_in_every_mode(office: Office) -> None:
    due = [office.team.unique("due") for _ in range(2)]
    for name in due:
        office.team.write_sheet(name, ROWS)
    config_ids = [office.team.add_config(name) for name in due]
    office.post("/run")
    assert [run.state for run in office.team.wait_for_runs(*config_ids)] == ["succeeded", "succeeded"]
    for options in ({"skip_unchanged": True}, {"load_mode": "merge", "merge_keys": ["id"]}, {"load_mode": "append"}):
        name = office.team.unique("mode")
        config_id = office.add(name, **options)
        office.run(config_id)
        if "merge_keys" in options:
            office.team.write_sheet(name, [[*ROWS[0], "more"], [1, 2.5, "x"]])
        office.run(config_id, count=2)


def settle_without_complete(office: Office) -> None:
    """The sweep looks for itself: at a load, at an execution whose start's answer was lost, at one to cancel."""
    office.system.kill("complete")
    loaded, lost, cancelled = (office.add(office.team.unique(name)) for name in ("loaded", "lost", "cancelled"))
    office.team.publish({"config_id": loaded})
    office.sweep_until(loaded, "succeeded")
    office.recorder["run"].add(Rule("lost", lose_reply, lambda request: request.path.endswith(":run"), most=1))
    office.team.publish({"config_id": lost})
    office.kill_execution()
    office.sweep_until(lost, "succeeded")
    office.recorder["sheets"].add(Rule("slow", delay(SECONDS_TO_CANCEL), lambda request: True, most=1))
    office.team.publish({"config_id": cancelled})
    office.wait_until(cancelled, "running")
    office.help("cancel", "--no-wait", office.team.runs(cancelled)[0].id)
    office.sweep_until(cancelled, "cancelled")
    office.system.start("complete")


def settle_by_complete(office: Office) -> None:
    """An execution that died says nothing: Cloud Logging's entry makes complete burn its id."""
    killed = office.add(office.team.unique("killed"))
    office.team.publish({"config_id": killed})
    office.kill_execution()
    office.sweep_until(killed, "succeeded")


def by_hand(office: Office) -> None:
    name = office.team.unique("by_hand")
    office.add(name)
    office.help("doctor", name)
    office.help("plan", name)
    office.help("run", name)
    office.help("status")
    office.help("list")
    file = office.system.folder / "config.json"
    file.write_text(
        json.dumps(
            {
                "name": f"{name}_file",
                "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{name}/edit",
                "google_cloud_project_id": PROJECT,
                "bigquery_dataset_id": DATASET,
                "bigquery_table_id": f"{name}_file",
                "schema_handling": "auto_detect",
            }
        )
    )
    office.help("execute", "--config-file", str(file))


def at_the_console(office: Office) -> None:
    """Somebody looks, and has a config run at once."""
    office.look("/overview.json")
    config_id = office.add(office.team.unique("pressed"))
    office.press(config_id)
    assert office.team.wait_for_runs(config_id)[-1].state == "succeeded"


def plan(office: Office) -> None:
    """Plans by message: one whose execution dies, of which complete asks Cloud Run why, and one that is told."""
    name = office.team.unique("planned")
    office.team.write_sheet(name, ROWS)
    row = {
        "name": name,
        "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{name}/edit",
        "google_cloud_project_id": PROJECT,
        "bigquery_dataset_id": DATASET,
        "bigquery_table_id": name,
    }
    postgres = office.team.clients.postgres
    for state in ("failed", "done"):
        [[plan_id]] = postgres.run(
            "INSERT INTO sheet_to_bigquery_plans (id, config, requested_by, requested_at)"
            " VALUES (gen_random_uuid(), CAST(:config AS jsonb), 'ana', now()) RETURNING id::text",
            config=json.dumps(row),
        )
        office.team.publish({"plan_id": plan_id})
        if state == "failed":
            office.kill_execution()
        deadline = time.monotonic() + 60
        while postgres.run("SELECT state FROM sheet_to_bigquery_plans WHERE id = :id", id=plan_id) != [[state]]:
            assert time.monotonic() < deadline, office.system.tail("complete")
            time.sleep(0.1)


def move(office: Office) -> None:
    """A config goes from the older service to the job, back in the middle of a run, and to the job for good."""
    name = office.team.unique("moved")
    office.team.write_sheet(name, ROWS)
    office.help("start", script="migrate.py")
    config_id = office.team.add_config(name, run_frequency_hours=0)
    schema = [bigquery.SchemaField(each, "STRING") for each in ROWS[0]]
    rows = [dict(zip(ROWS[0], map(str, row), strict=True)) for row in ROWS[1:]]
    config = bigquery.LoadJobConfig(schema=schema)
    office.team.clients.bigquery.load_table_from_json(rows, f"{PROJECT}.{DATASET}.{name}", job_config=config).result()
    office.help("shadow", name, script="migrate.py")
    office.help("compare", name, script="migrate.py")
    office.help("promote", name, "--matches", "1", script="migrate.py")
    office.recorder["sheets"].add(Rule("slow", delay(SECONDS_TO_CANCEL), lambda request: True, most=1))
    office.team.publish({"config_id": config_id})
    deadline = time.monotonic() + 30
    while not any(run.state == "running" for run in office.team.runs(config_id)):
        assert time.monotonic() < deadline, office.team.runs(config_id)
        time.sleep(0.05)
    office.help("rollback", name, script="migrate.py")
    office.team.clients.postgres.run("UPDATE sheet_to_bigquery_configs SET migration_status = 'job_ready'")
    office.help("types", name, "--apply", "--view", f"{name}_as_before", script="migrate.py")
    office.help("status", script="migrate.py")
    office.help("finish", "--yes", script="migrate.py")


def forward(office: Office) -> None:
    """Once configs have owners, the portal's messages go to the older service, and to the job with those it owns."""
    office.team.clients.postgres.run("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status varchar(20)")
    for owner in ("service", "job_ready"):
        name = office.team.unique("owned")
        config_id = office.add(name)
        office.team.set_config(config_id, migration_status=owner)
        message = {
            "id": config_id,
            "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{name}/edit",
            "google_cloud_project_id": PROJECT,
            "bigquery_dataset_id": DATASET,
            "bigquery_table_id": name,
        }
        office.team.publish(message, PORTAL)
        deadline = time.monotonic() + 60
        while not office.has_table(name):
            assert time.monotonic() < deadline, office.system.tail("forward")
            time.sleep(0.1)
