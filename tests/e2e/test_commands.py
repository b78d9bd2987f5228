"""The guide's commands at work on the running system, as people and cron call them."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.environment import PROJECT
from local.system import REPOSITORY, System
from tests.e2e.conftest import DATASET, Team

ROWS = [["id", "amount"], [1, 2.5], [2, 3.5]]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(system: System, tmp_path: Path) -> Command:
    """Runs one of the scripts against the system, in a folder that is not the repository."""

    def run(script: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(REPOSITORY / script), *arguments],
            env={**system.environment, **extra},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def private(system: System) -> Iterator[Callable[[str], None]]:
    """Takes a spreadsheet's sharing back, for the length of the test."""
    path = system.samples / "sharing.json"

    def withdraw(spreadsheet: str) -> None:
        path.write_text(json.dumps({spreadsheet: "not_shared"}))

    yield withdraw
    path.unlink(missing_ok=True)


def url(spreadsheet: str) -> str:
    return f"https://docs.google.com/spreadsheets/d/{spreadsheet}/edit#gid=0"


def test_an_added_config_is_run_by_the_orchestrator_which_waits_for_it(team: Team, command: Command) -> None:
    name = team.unique("added")
    team.write_sheet(name, ROWS)
    added = command("job_helper.py", "--json", "add", url(name), "--project", PROJECT, "--dataset", DATASET)
    assert added.returncode == 0, added.stderr
    config = json.loads(added.stdout)
    done = command("job_orchestrator.py", "--config-names", config["name"])
    assert done.returncode == 0, done.stderr
    assert "1 succeeded" in done.stdout
    assert team.table(config["table"].split(".")[-1]) == [{"id": 1, "amount": 2.5}, {"id": 2, "amount": 3.5}]
    assert team.last_run(config["id"]) is not None


def test_the_orchestrator_exits_1_where_one_fails_and_the_others_are_loaded(team: Team, command: Command) -> None:
    good, bad = team.unique("good"), team.unique("bad")
    team.write_sheet(good, ROWS)
    team.add_config(good)
    team.add_config(bad, spreadsheet=good, tab="Nowhere")
    done = command("job_orchestrator.py", "--config-names", good, bad)
    assert done.returncode == 1
    assert "1 failed, 1 succeeded" in done.stdout
    assert "TabNotFound" in done.stdout
    assert len(team.table(good)) == 2


def test_max_parallel_jobs_keeps_the_calls_runs_one_after_another(team: Team, command: Command) -> None:
    names = [team.unique("narrow") for _ in range(3)]
    for name in names:
        team.write_sheet(name, ROWS)
        team.add_config(name)
    done = command("job_orchestrator.py", "--max-parallel-jobs=1", "--config-names", *names)
    assert done.returncode == 0, done.stderr
    assert "3 succeeded" in done.stdout
    spans = team.clients.postgres.run(
        "SELECT claimed_at, ended_at FROM sheet_to_bigquery_runs WHERE config_name = ANY(:names) ORDER BY claimed_at",
        names=names,
    )
    assert all(ended <= begun for (_, ended), (begun, _) in itertools.pairwise(spans))


def test_run_takes_ids_and_names_and_waits_for_their_runs(team: Team, command: Command) -> None:
    by_id, by_name = team.unique("by_id"), team.unique("by_name")
    for name in (by_id, by_name):
        team.write_sheet(name, ROWS)
    ids = [team.add_config(name, run_frequency_hours=0) for name in (by_id, by_name)]
    done = command("job_helper.py", "run", str(ids[0]), by_name, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [each["request"]["config_id"] for each in found] == ids
    runs = [each["run"] for each in found]
    assert [(run["state"], run["rows"], run["why"]) for run in runs] == [("succeeded", 2, "manual")] * 2
    assert len(team.table(by_id)) == 2


def test_run_tells_the_warnings_of_what_it_loaded(team: Team, command: Command) -> None:
    name = team.unique("warned")
    team.write_sheet(name, [["id"], [1], [], [3]])
    team.add_config(name, run_frequency_hours=0)
    done = command("job_helper.py", "run", name)
    assert done.returncode == 0, done.stderr
    assert f"{name}: warning: 1 blank row between others left out" in done.stdout


def test_run_of_a_paused_config_says_why_it_was_not_run(team: Team, command: Command) -> None:
    config_id = team.add_config(team.unique("asleep"), is_active=False)
    done = command("job_helper.py", "run", str(config_id))
    assert done.returncode == 1
    assert "is paused" in done.stdout


def test_run_of_an_unknown_config_requests_nothing_at_all(team: Team, command: Command) -> None:
    known = team.add_config(team.unique("known"), run_frequency_hours=0)
    done = command("job_helper.py", "run", str(known), "nobody at all")
    assert done.returncode == 2
    assert '"nobody at all"' in done.stderr
    assert team.runs(known) == []


def test_run_without_waiting_tells_the_message_and_the_run_goes_on(team: Team, command: Command) -> None:
    name = team.unique("unwatched")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, run_frequency_hours=0)
    done = command("job_helper.py", "run", name, "--no-wait")
    assert done.returncode == 0, done.stderr
    assert "with message" in done.stdout
    assert [run.state for run in team.wait_for_runs(config_id)] == ["succeeded"]


def test_execute_loads_the_files_table_outside_the_ledger(team: Team, command: Command, tmp_path: Path) -> None:
    name = team.unique("executed")
    team.write_sheet(name, ROWS)
    path = tmp_path / "test_config.json"
    path.write_text(
        json.dumps(
            {
                "name": name,
                "google_sheet_url": url(name),
                "google_cloud_project_id": PROJECT,
                "bigquery_dataset_id": DATASET,
                "bigquery_table_id": name,
                "schema_handling": "auto_detect",
            }
        )
    )
    done = command("job_helper.py", "execute", "--config-file", str(path), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == 2
    assert len(team.table(name)) == 2
    statement = "SELECT count(*) FROM sheet_to_bigquery_runs WHERE config_name = :name"
    assert team.clients.postgres.run(statement, name=name) == [[0]]
    examined = command("job_helper.py", "doctor", "--config-file", str(path))
    assert examined.returncode == 0, examined.stdout
    assert "and the table may be written" in examined.stdout


def test_doctor_finds_a_config_well(team: Team, command: Command) -> None:
    name = team.unique("well")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name)
    done = command("job_helper.py", "doctor", str(config_id), "--json")
    findings = json.loads(done.stdout)
    assert {each["outcome"] for each in findings} == {"passed"}, done.stdout
    assert done.returncode == 0
    assert len(findings) == 13


def test_doctor_tells_the_address_to_share_with(team: Team, command: Command, private) -> None:
    name = team.unique("private")
    team.write_sheet(name, ROWS)
    team.add_config(name)
    private(name)
    done = command("job_helper.py", "doctor", name, "--json")
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found["spreadsheet"]["outcome"] == "failed"
    assert "share the spreadsheet with sheet-to-bigquery@" in found["spreadsheet"]["remedy"]
    for name in ("tab", "Drive API"):
        assert found[name] == {"name": name, "outcome": "skipped", "told": "needs: spreadsheet", "remedy": ""}
    assert [each for each in found if found[each]["outcome"] == "failed"] == ["spreadsheet"]
    assert found["dataset"]["outcome"] == "passed"


@pytest.mark.parametrize(
    ("settings", "failed"),
    [
        ({"REQUEST_TOPIC": "no-such-topic"}, {"request topic"}),
        ({"COMPLETION_TOPIC": "no-such-topic"}, {"completion topic"}),
        ({"JOB_NAME": "no-such-job"}, {"Cloud Run job"}),
        ({"POSTGRES_PORT": "9"}, {"database"}),
        ({"BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:9"}, {"BigQuery jobs"}),
    ],
)
def test_doctor_finds_the_one_thing_that_is_missing(settings, failed, team: Team, command: Command) -> None:
    name = team.unique("checked")
    team.write_sheet(name, ROWS)
    team.add_config(name)
    done = command("job_helper.py", "doctor", name, "--json", **settings)
    findings = json.loads(done.stdout)
    assert done.returncode == 1
    assert {each["name"] for each in findings if each["outcome"] == "failed"} == failed
    assert all(each["remedy"] for each in findings if each["outcome"] == "failed")


def test_doctor_finds_a_tab_that_is_not_there_and_names_those_that_are(team: Team, command: Command) -> None:
    name = team.unique("tabs")
    team.write_sheet(name, ROWS, tab="Q4 Sales")
    team.add_config(name, tab="Q4")
    done = command("job_helper.py", "doctor", name)
    assert done.returncode == 1
    assert "✓ spreadsheet" in done.stdout
    assert "✗ tab: TabNotFound" in done.stdout
    assert '"Q4 Sales"' in done.stdout


class Waiting:
    """An orchestrator that waits, in a process of its own; its progress is read line by line."""

    def __init__(self, system: System, name: str, log: Path) -> None:
        self.log = log
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "job_orchestrator.py", "--config-names", name],
                env=dict(system.environment),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Waits until the text was told; fails in time."""
        deadline = time.monotonic() + seconds
        while text not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)


@pytest.fixture
def waiting(team: Team, tmp_path: Path) -> Iterator[tuple[int, Waiting]]:
    """A config's id, and an orchestrator that waits for its run, which cannot begin while launch is stopped."""
    name = team.unique("slow")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name)
    team.system.stop("launch")
    orchestrator = None
    try:
        orchestrator = Waiting(team.system, name, tmp_path / "orchestrator.log")
        orchestrator.wait_for("queued")
        yield config_id, orchestrator
    finally:
        if "launch" not in team.system.processes:
            team.system.start("launch")
        if orchestrator is not None and orchestrator.process.poll() is None:
            orchestrator.process.kill()
            orchestrator.process.wait()


def test_waiting_goes_on_over_a_broken_connection(team: Team, waiting) -> None:
    config_id, orchestrator = waiting
    team.clients.postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'sheet-to-bigquery' AND pid <> pg_backend_pid()"
    )
    orchestrator.wait_for("looking again")
    team.system.start("launch")
    assert orchestrator.process.wait(timeout=90) == 0, orchestrator.log.read_text()
    assert [run.state for run in team.runs(config_id)] == ["succeeded"]
    assert "1 succeeded" in orchestrator.log.read_text()


def test_ctrl_c_stops_the_waiting_and_not_the_run(team: Team, waiting) -> None:
    config_id, orchestrator = waiting
    os.kill(orchestrator.process.pid, signal.SIGINT)
    assert orchestrator.process.wait(timeout=60) == 130
    told = orchestrator.log.read_text()
    assert "the runs go on" in told
    assert "Traceback" not in told
    team.system.start("launch")
    assert [run.state for run in team.wait_for_runs(config_id)] == ["succeeded"]
