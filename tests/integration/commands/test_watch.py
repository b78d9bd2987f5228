"""`job_helper.py watch`: what goes on, at a terminal and elsewhere, until somebody has seen enough."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.commands.conftest import REPOSITORY

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLAIMED = {
    "attempt": 1,
    "claimed_at": NOON,
    "had_last_run": False,
    "job_project": "p",
    "job_location": "US",
    "execution": "jobs/j/executions/e",
    "lease_until": NOON,
    "deadline": NOON,
}
SECONDS = 30


@pytest.fixture
def watching(environment, tmp_path) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], Path]]]:
    """Starts the command away from a terminal; what it says is in the file."""
    started = []

    def start(*arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
        said = tmp_path / f"said{len(started)}"
        with said.open("wb") as file:
            command = [sys.executable, str(REPOSITORY / "job_helper.py"), "watch", *arguments]
            process = subprocess.Popen(
                command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        started.append(process)
        return process, said

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_for(text: str, said: Path) -> None:
    until = time.monotonic() + SECONDS
    while text not in said.read_text():
        assert time.monotonic() < until, said.read_text()
        time.sleep(0.05)


def test_once_tells_what_runs_what_waits_and_what_ended_lately(helper, sql, add_config, add_run) -> None:
    ((now,),) = sql("SELECT now()")
    running = add_run(add_config("a"), NOON, state="running", **CLAIMED)
    waiting = add_run(add_config("b"), NOON, state="pending", not_before=now + HOUR)
    failed = add_run(add_config("c"), NOON, state="failed", ended_at=now, error_class="TabNotFound", error="no tab")
    add_run(add_config("d"), NOON, state="failed")
    summary, heads, *rows = helper("watch", "--once").stdout.splitlines()
    assert summary.endswith("UTC: 1 running, 1 pending")
    assert heads.split() == ["RUN", "CONFIG", "WHY", "STATE", "FOR", "ATTEMPT", "ROWS", "TOLD"]
    assert [row.split()[0] for row in rows] == [running[:8], waiting[:8], failed[:8]]
    assert [state in row for state, row in zip(("running", "pending  in ", "TabNotFound: no tab"), rows, strict=True)]


def test_once_where_nothing_goes_on_says_so(helper) -> None:
    done = helper("watch", "--once")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "nothing runs or waits" in done.stdout


def test_only_the_configs_that_are_named_are_watched(helper, add_config, add_run) -> None:
    own = add_config("own")
    add_run(add_config("other"), NOON, state="running", **CLAIMED)
    run_id = add_run(own, NOON, state="pending")
    for named in ("own", str(own)):
        seen = json.loads(helper("watch", named, "--json").stdout)
        assert seen["runs"]["counts"] == {"pending": 1}
        assert [run["id"] for run in seen["runs"]["waiting"]] == [run_id]
    assert helper("watch", "own", "nobody", "--once").returncode == 2


def test_away_from_a_terminal_each_change_is_a_line_until_it_is_interrupted(watching, sql, add_config, add_run) -> None:
    run_id = add_run(add_config(), NOON, state="running", **CLAIMED)
    old = add_run(add_config("old"), NOON, state="failed")
    sql("UPDATE sheet_to_bigquery_runs SET config_name = 'old', ended_at = now() WHERE id = :id", id=old)
    process, said = watching()
    wait_for("sales: running\n", said)
    sql(
        "UPDATE sheet_to_bigquery_runs SET state = 'failed', ended_at = now(), error_class = 'E', error = 'why'"
        " WHERE id = :id",
        id=run_id,
    )
    wait_for("sales: failed (E: why)\n", said)
    add_run(add_config("quick"), NOON, ended_at=sql("SELECT now()")[0][0], config_name="quick")
    wait_for("quick: succeeded\n", said)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 130
    assert said.read_text().count("sales") == 2
    assert "old" not in said.read_text()
    assert "the runs go on" in said.read_text()


def test_a_broken_connection_is_waited_out(watching, sql, add_config, add_run) -> None:
    run_id = add_run(add_config(), NOON, state="running", **CLAIMED)
    process, said = watching()
    wait_for("sales: running\n", said)
    # It opens another connection after the first look.
    others = (
        "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    while "looking again" not in said.read_text():
        sql(f"SELECT pg_terminate_backend(pid) {others}")
        time.sleep(0.2)
    sql("UPDATE sheet_to_bigquery_runs SET state = 'succeeded', ended_at = now() WHERE id = :id", id=run_id)
    wait_for("sales: succeeded\n", said)
    assert process.poll() is None


def test_a_terminal_gets_a_table_that_is_redrawn(environment, sql, add_config, add_run) -> None:
    run_id = add_run(add_config(), NOON, state="running", **CLAIMED)
    ours, theirs = pty.openpty()
    command = [sys.executable, str(REPOSITORY / "job_helper.py"), "watch"]
    env = environment | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "30"}
    process = subprocess.Popen(command, cwd=REPOSITORY, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        assert "1 running" in read_until("1 running", ours)
        sql("UPDATE sheet_to_bigquery_runs SET state = 'succeeded', ended_at = now() WHERE id = :id", id=run_id)
        assert "\x1b[1A" in read_until("nothing runs or waits", ours)  # back to the line above, and over it
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(text: str, terminal: int) -> str:
    seen = ""
    until = time.monotonic() + SECONDS
    while text not in seen:
        assert time.monotonic() < until, seen
        seen += os.read(terminal, 4096).decode(errors="replace")
    return seen
