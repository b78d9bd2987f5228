"""Takes each guard of the product away in turn, in a copy, and hunts: a guard that nobody misses is untested.

python -m tests.faults.mutations [NAME ...]
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# So many seeds are tried before a guard counts as not missed.
SEEDS = (11, 12, 13)
# A broken product may never recover; a hunt with few faults takes a minute.
SECONDS = 400


@dataclass(frozen=True)
class Mutation:
    """A guard's text in a file and what takes its place, and the faults that it guards against.

    `test` is for a guard behind another one, which no fault alone gets past: what it refuses is tried by itself.
    """

    name: str
    file: str
    guard: str
    instead: str
    faults: Sequence[str] = ()
    times: int = 3
    limits: Sequence[str] = ()
    test: str | None = None


LEDGER = "shared/ledger"
ADMISSION_STATEMENTS, END_STATEMENTS = f"{LEDGER}/admission_statements.py", f"{LEDGER}/end_statements.py"
SETTLE = "shared/settle.py"
LOAD_JOB, READ = "shared/load_job.py", "job/reading/read.py"
RUNS, STATES = "sql/migrations/0001_runs.up.sql", "tests/integration/ledger/test_states.py"
MUTATIONS = (
    Mutation(
        "claim: only what is queued",
        f"{LEDGER}/run_statements.py",
        "WHERE r.id = :run_id AND r.state = 'queued' AND c.id = r.config_id",
        "WHERE r.id = :run_id AND c.id = r.config_id",
        ["delivered three times to launch"],
        times=6,
    ),
    Mutation(
        "admission lock",
        f"{LEDGER}/statements.py",
        'LOCK_ADMISSION = "SELECT pg_advisory_xact_lock(1932681841, 2)"',
        'LOCK_ADMISSION = "SELECT 1"',
        ["a config goes before all others", "slow jobs"],
        limits=["MAX_RUNNING=2"],
    ),
    Mutation(
        "cap on runs in flight",
        ADMISSION_STATEMENTS,
        "least(:most, :cap - count(*))",
        "least(:most, :cap - 0 * count(*))",
        ["eight calls of dispatch", "slow jobs"],
        limits=["MAX_RUNNING=2"],
    ),
    Mutation(
        "quota of reads",
        ADMISSION_STATEMENTS,
        "ranked.reads_so_far + reserved.reads <= :reads_per_minute",
        "ranked.reads_so_far <= :reads_per_minute",
        ["eight calls of dispatch"],
        limits=["SHEETS_READS_PER_MINUTE=20"],
    ),
    Mutation(
        "attempt in the job id",
        LOAD_JOB,
        'return f"sheet_to_bigquery_{run_id}_{attempt}"',
        'return f"sheet_to_bigquery_{run_id}_1"',
        ["a load that fails", "out of memory"],
    ),
    Mutation(
        "labels of the attempt's job",
        LOAD_JOB,
        'return found.get("run") == run_id and found.get("attempt") == str(attempt)',
        "return found is not None and bool(run_id) and bool(attempt)",
        ["a stranger's job"],
    ),
    Mutation(
        "location of the attempt's job",
        SETTLE,
        "client, location = bigquery_of(run.job_project), run.job_location",
        'client, location = bigquery_of(run.job_project), "EU"',
        ["completion lost for ever"],
    ),
    Mutation(
        "burn before a new attempt",
        SETTLE,
        "seen = load_job.burn(client, run.id, run.attempt, location)",
        'seen = load_job.Look("burned")',
        ["asleep and forgotten", "forged completion"],
    ),
    Mutation(
        "an unknown launch waits for settling",
        "shared/executions.py",
        "raise LaunchUnknown(\n",
        "raise LaunchRefused(\n",
        ["503 although an execution was created", "reply to RunJob lost"],
    ),
    Mutation(
        "a message by hand counts once",
        f"{LEDGER}/message_queries.py",
        'if not self._record_message(message_id, now, "accepted", None, body):',
        'if not self._record_message(message_id, now, "accepted", None, body) and not body:',
        ["ack lost by launch"],
        times=6,
    ),
    Mutation(
        "last_run never goes back",
        END_STATEMENTS,
        "SET last_run = greatest(c.last_run, closed.slot)",
        "SET last_run = closed.slot",
        ["slow jobs"],
        times=8,
    ),
    Mutation(
        "a person's NULL stays",
        END_STATEMENTS,
        " AND NOT (closed.had_last_run AND c.last_run IS NULL)",
        "",
        ["slow jobs"],
        times=8,
    ),
    Mutation(
        "an attempt fails once",
        END_STATEMENTS,
        "WHERE id = :run_id AND attempt = :attempt AND state IN {_IN_FLIGHT}\n    RETURNING {_CLOSED}\n",
        "WHERE id = :run_id\n    RETURNING {_CLOSED}\n",
        ["asleep beyond the lease: at settle.after_burn", "out of memory", "four sweeps"],
        times=4,
    ),
    Mutation(
        "the sweep looks at leases",
        "shared/sweep.py",
        "for run_id in store.lease_over(store.now()):",
        "for run_id in store.lease_over(store.now())[:0]:",
        ["completion lost for ever"],
        times=12,
    ),
    Mutation(
        "the sweep publishes what was not heard",
        "shared/sweep.py",
        "    if unheard:\n",
        "    if not unheard:\n",
        ["run request lost for ever"],
    ),
    Mutation(
        "a reading lies between two equal versions",
        READ,
        "if before == version:",
        "if before:",
        ["an edit during the read"],
    ),
    Mutation(
        "an empty sheet empties no table",
        READ,
        'if not reading.table.rows and config.options.on_empty == "fail":',
        'if not reading.table.rows and config.options.on_empty == "never":',
        ["emptied"],
        times=6,
    ),
    Mutation(
        "one active run per config and per table",
        RUNS,
        "CREATE UNIQUE INDEX runs_active_",
        "CREATE INDEX runs_active_",
        test=f"{STATES}::test_the_database_refuses_a_second_active_run_of_a_config_or_of_a_table",
    ),
    Mutation(
        "one request by hand waits",
        RUNS,
        "CREATE UNIQUE INDEX runs_follow_up",
        "CREATE INDEX runs_follow_up",
        test=f"{STATES}::test_the_database_refuses_a_second_request_by_hand_that_waits",
    ),
    Mutation(
        "a run changes only to states that may follow",
        "sql/migrations/0007_life.up.sql",
        "OLD.state <> NEW.state\n",
        "OLD.state IS NULL\n",
        test=f"{STATES}::test_the_database_allows_exactly_the_transitions_that_are_told",
    ),
)


def main() -> int:
    """1 if a guard was taken away and nothing noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutations", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only mutations whose names have one of these texts")
    wanted = parser.parse_args().names
    chosen = [each for each in MUTATIONS if not wanted or any(text in each.name for text in wanted)]
    missed = [mutation for mutation in chosen if not hunted(mutation)]
    print(f"\n{len(chosen) - len(missed)} of {len(chosen)} guards are missed where they are taken away", flush=True)
    for mutation in missed:
        print(f"  nothing noticed: {mutation.name}")
    return 1 if missed else 0


def hunted(mutation: Mutation) -> bool:
    """Whether a seed is found that breaks a promise without the guard."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        take_away(tree, mutation)
        for seed in SEEDS:
            began = time.monotonic()
            broken = hunt(tree, mutation, seed)
            if broken:
                took = time.monotonic() - began
                print(f"{mutation.name}: missed, seed {seed}, {took:.0f} s: {broken}", flush=True)
                return True
    print(f"{mutation.name}: NOTHING NOTICED with seeds {SEEDS}", flush=True)
    return False


def copy_tree(tree: Path) -> None:
    """The repository's files as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, tree / name)


def take_away(tree: Path, mutation: Mutation) -> None:
    """Raises `ValueError` where the guard's text is not there: it has moved, and the table has to follow."""
    path = tree / mutation.file
    text = path.read_text()
    if mutation.guard not in text:
        raise ValueError(f"{mutation.name}: {mutation.file} does not have {mutation.guard!r}")
    path.write_text(text.replace(mutation.guard, mutation.instead))


def hunt(tree: Path, mutation: Mutation, seed: int) -> str | None:
    """The first broken promise that the copy's own hunt tells, or the test that fails; None where there is none."""
    if mutation.test:
        tested = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutation.test]
        return mutation.test if subprocess.run(tested, cwd=tree, check=False, timeout=SECONDS).returncode == 1 else None
    command = [sys.executable, "-m", "tests.faults", "--seed", str(seed), "--times", str(mutation.times)]
    command += [part for text in mutation.faults for part in ("--only", text)]
    command += [part for limit in mutation.limits for part in ("--limit", limit)]
    ended = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=SECONDS)
    found = re.search(r"^  (I\d: .*)$", ended.stdout, re.MULTILINE)
    if ended.returncode and not found:
        raise RuntimeError(f"{mutation.name}: the hunt itself failed:\n{ended.stderr[-2000:]}")
    return found[1] if found else None


if __name__ == "__main__":
    sys.exit(main())
