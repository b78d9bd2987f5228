"""`python -m tests.faults.crowd --configs 10000 --real 200`: all configs are due in the same minute.

One of them fails always. Every other one has to succeed once, and no promise may break on the way.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from local import servers
from local.component import Component, answers, wait_until_ready
from local.environment import PROJECT
from local.ports import forget_proxies
from local.pubsub import COMPLETIONS
from tests.faults.arena import Arena
from tests.faults.checker.history import Violation
from tests.faults.checker.judge import judge
from tests.faults.people import DATASET

LIMITS = {
    "LEASE_SECONDS": "60",
    "RETRY_SECONDS": "1",
    "RUN_TIMEOUT_SECONDS": "300",
    "MAX_RUNNING": "100",
    "MAX_ATTEMPTS": "2",
    "PAUSE_AFTER_FAILURES": "10",
    "RUNS_KEPT_DAYS": "90",
    "SHEETS_READS_PER_MINUTE": "1000000",
}
# The most overdue first: so the one that always fails is in front of all.
ADD = """
INSERT INTO sheet_to_bigquery_configs (name, google_sheet_url, google_sheet_tab_name, google_cloud_project_id,
    bigquery_dataset_id, bigquery_table_id, run_frequency_hours, last_run)
SELECT 'crowd' || n, 'https://docs.google.com/spreadsheets/d/crowd/edit', CASE WHEN n <= :broken THEN 'no such tab' END,
    :project, :dataset, 'crowd' || n, 1, now() - interval '2 hours' - make_interval(secs => 1.0 / n)
FROM generate_series(1, :count) n
"""
OPEN = "SELECT count(*) FROM sheet_to_bigquery_runs WHERE ended_at IS NULL"
ENDED = "SELECT state, count(*) FROM sheet_to_bigquery_runs GROUP BY state"


def main() -> int:
    """1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.crowd", description=__doc__)
    parser.add_argument("--configs", type=int, default=10_000)
    parser.add_argument("--real", type=int, default=200, help="so many executions are the real job, the others light")
    options = parser.parse_args()
    forget_proxies()
    return 1 if gather(options.configs, options.real) else 0


def gather(configs: int, real: int) -> int:
    """A crowd in a system of its own; how many promises were broken."""
    with tempfile.TemporaryDirectory(prefix="crowd-") as folder, Arena(Path(folder), 1, LIMITS) as arena:
        began = time.monotonic()
        violations = play(arena, configs, real)
        took = time.monotonic() - began
    print(f"{configs} configs due at once, {real} of them run by the real job: {took:.0f} s")
    print(f"promises broken: {len(violations)}", *violations, sep="\n  ", flush=True)
    return len(violations)


def play(arena: Arena, configs: int, real: int, seconds: float = 3600) -> list[Violation]:
    """Let them all come due, wait for all to end, and judge."""
    replace_run(arena, real)
    add_due(arena, configs, broken=1)
    deadline = time.monotonic() + seconds
    arena.call("/run").result()
    while arena.sql(OPEN)[0][0] and time.monotonic() < deadline:
        arena.call("/sweep").result()
        time.sleep(2)
    arena.settle()
    arena.tell()
    states = dict(arena.sql(ENDED))
    told = [] if states == {"succeeded": configs - 1, "failed": 1} else [Violation("I1", f"the runs ended as {states}")]
    return told + judge(arena.history())


def add_due(arena: Arena, configs: int, broken: int = 0) -> None:
    """Configs of one sheet that are due now; so many of them, the most overdue, fail always."""
    arena.add_sheet("crowd", 1)
    arena.clients.bigquery.create_dataset(DATASET)
    arena.sql(ADD, project=PROJECT, dataset=DATASET, count=configs, broken=broken)


def replace_run(arena: Arena, real: int) -> None:
    """Cloud Run with light executions in the place of the one that starts processes."""
    url = arena.system.addresses["run"]
    arena.system.stop("run")
    command = [sys.executable, "-m", "tests.faults.light_run", "--port", url.rpartition(":")[2], "--require-auth"]
    command += ["--data", str(arena.folder / "light"), "--job-file", str(arena.folder / "job.json")]
    command += ["--pubsub", arena.system.addresses["pubsub"].removeprefix("http://"), "--real", str(real)]
    command += ["--completion-topic", f"projects/{PROJECT}/topics/{COMPLETIONS}"]
    log = arena.folder / "logs" / "light.log"
    environment = {"PATH": os.environ["PATH"]}
    light = Component("light", command, environment, servers.REPOSITORY, log, lambda: answers(url), url)
    light.start()
    arena.also(light)
    wait_until_ready([light], seconds=30)


if __name__ == "__main__":
    sys.exit(main())
