"""`python -m tests.faults.quota --configs 300 --reads 240`: configs that are due at once share the Sheets quota.

Dispatch is called once, as by a schedule of four hours, and the sweep every minute, as by Cloud Scheduler. Every
execution is the real job, and the Sheets server refuses what is beyond the quota, as Google does. Told is how much of
what the quota allowed was read while runs waited for it, and what failed by it.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from local import servers
from local.component import Component, answers, wait_until_ready
from local.ports import forget_proxies
from tests.faults.arena import Arena
from tests.faults.checker.judge import judge
from tests.faults.crowd import ENDED, OPEN, add_due

WINDOW = 60.0
SECONDS_BETWEEN_SWEEPS = 60.0
REFUSED = 429
# README.md promises nine tenths of the quota.
LEAST_SHARE = 0.9


def main() -> int:
    """1 where too little of the quota was used, a run failed, or a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.quota", description=__doc__)
    parser.add_argument("--configs", type=int, default=300)
    parser.add_argument("--reads", type=int, default=240, help="what the Sheets API allows in a minute")
    options = parser.parse_args()
    forget_proxies()
    limits = {
        "LEASE_SECONDS": "120",
        "RETRY_SECONDS": "10",
        "RUN_TIMEOUT_SECONDS": "1800",
        "MAX_RUNNING": "100",
        "MAX_ATTEMPTS": "5",
        "SHEETS_READS_PER_MINUTE": str(options.reads),
        "SWEEP_SECONDS": "40",
        "PAUSE_AFTER_FAILURES": "10",
        "RUNS_KEPT_DAYS": "90",
    }
    with tempfile.TemporaryDirectory(prefix="quota-") as folder, Arena(Path(folder), 1, limits) as arena:
        limit_reads(arena, options.reads)
        began = time.monotonic()
        share = share_out(arena, options.configs, options.reads)
        refused = sum(status == REFUSED for _, status in arena.witness.reads)
        states = dict(arena.sql(ENDED))
        failures = Counter(dict(arena.sql("SELECT failures, count(*) FROM sheet_to_bigquery_runs GROUP BY failures")))
        violations = judge(arena.history())
        took = time.monotonic() - began
    print(f"{options.configs} configs due at once, {options.reads} reads a minute: {took:.0f} s, ended as {states}")
    print(f"attempts that failed: {sum(times * runs for times, runs in failures.items())}")
    print(f"of the quota, while runs waited: {share:.1%}; refused: {refused} reads, which were made again")
    print(f"promises broken: {len(violations)}", *violations, sep="\n  ", flush=True)
    return 0 if share >= LEAST_SHARE and states == {"succeeded": options.configs} and not violations else 1


def limit_reads(arena: Arena, reads: int) -> None:
    """The Sheets server with a quota in the place of the one without."""
    url = arena.system.addresses["sheets"]
    arena.system.stop("sheets")
    command = [sys.executable, "-m", "local.sheets", "--port", url.rpartition(":")[2], "--require-auth"]
    command += ["--folder", str(arena.folder / "samples"), "--reads-per-minute", str(reads)]
    log = arena.folder / "logs" / "limited_sheets.log"
    environment = arena.system.settings
    limited = Component("limited_sheets", command, environment, servers.REPOSITORY, log, lambda: answers(url), url)
    limited.start()
    arena.also(limited)
    wait_until_ready([limited], seconds=30)


def share_out(arena: Arena, configs: int, reads: int) -> float:
    """Let all configs come due, and sweep until all ran; the share of the quota that was used while some waited."""
    add_due(arena, configs)
    arena.call("/run").result()
    while arena.sql(OPEN)[0][0]:
        sweep = arena.call("/sweep")
        time.sleep(SECONDS_BETWEEN_SWEEPS)
        sweep.result()
    # From the first admission to the last one: from then on no run waited any more.
    [(made, seconds)] = arena.sql(
        "SELECT sum(sheet_reads) FILTER (WHERE admitted_at < last), extract(epoch FROM last - min(admitted_at))::float8"
        " FROM sheet_to_bigquery_runs, (SELECT max(admitted_at) AS last FROM sheet_to_bigquery_runs) l GROUP BY last"
    )
    return int(made) / (reads * seconds / WINDOW)


if __name__ == "__main__":
    sys.exit(main())
