"""The alternating runs of all ways to hand on as many pieces of work."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from local.bench.dispatch.stage import Stage
from local.bench.packages import REPOSITORY
from local.bench.process import ProgramFailed

# Publishing one by one takes a hundredth of a second each.
MOST_ONE_BY_ONE = 1000
SECONDS_FOR_A_PROGRAM = 600


@dataclass(frozen=True)
class Load:
    """How many configs there are, and how many of them are due."""

    configs: int
    due: int

    def __str__(self) -> str:
        return f"{self.due:,} due of {self.configs:,} configs"


@dataclass(frozen=True)
class Way:
    """A program, run on a copy of the database `template`; `handed_on` is the query of what it left there."""

    name: str
    command: Sequence[str]
    template: str
    handed_on: str
    publishes: bool


def ways(python: Path, due: int) -> list[Way]:
    """The product's dispatch first, then what it is compared with; `python` is .venv-bench's."""
    queued = "SELECT count(*) FROM sheet_to_bigquery_runs WHERE state = 'queued'"
    deferred = "SELECT count(*) FROM procrastinate_jobs"
    found = [
        Way("dispatch", [sys.executable, "-m", "local.bench.dispatch.product"], "fleet", queued, True),
        Way("procrastinate", _deferring(python, str(due)), "procrastinate", deferred, False),
    ]
    if due <= MOST_ONE_BY_ONE:
        one_by_one = [sys.executable, "-m", "local.bench.dispatch.one_by_one"]
        found.append(Way("one_by_one", one_by_one, "fleet", queued, True))
    return found


@dataclass(frozen=True)
class Run:
    """One run, or the medians of several: `per_second` of the clock; CPU and memory are the program's own."""

    per_second: float
    cpu_microseconds: float
    peak_mib: float


def median(runs: Sequence[Run]) -> Run:
    values = {field.name: statistics.median(getattr(run, field.name) for run in runs) for field in fields(Run)}
    return Run(**values)


def measure(load: Load, python: Path, rounds: int, advance: Callable[[], None]) -> Mapping[str, Run]:
    """The medians of `rounds` runs of each way, by name, after one run of each that only warms up.

    The ways alternate, so that what else the machine does meets them alike. `advance` is called after each run.
    """
    compared = ways(python, load.due)
    runs: dict[str, list[Run]] = {way.name: [] for way in compared}
    with Stage() as stage:
        stage.create_fleet("fleet", load.configs, load.due)
        stage.create("procrastinate")
        _run(_deferring(python, "schema"), stage.environment("procrastinate"))
        for number in range(rounds + 1):
            for way in compared:
                run = run_once(stage, way, load.due)
                advance()
                if number:
                    runs[way.name].append(run)
    return {name: median(measured) for name, measured in runs.items()}


def run_once(stage: Stage, way: Way, due: int) -> Run:
    """Runs it on a fresh copy; raises ProgramFailed where anything of what is due was not handed on."""
    stage.create("run", way.template)
    try:
        stage.topic.empty()
        told = json.loads(_run(way.command, stage.environment("run")).splitlines()[-1])
        left = {"told": told["count"], "in PostgreSQL": stage.ask("run", way.handed_on)}
        if way.publishes:
            left["published"] = len(stage.topic.take_runs())
    finally:
        stage.drop("run")
    if set(left.values()) != {due}:
        raise ProgramFailed(f"{way.name} handed on {left} of {due}")
    return Run(due / told["seconds"], told["cpu_seconds"] / due * 1e6, told["peak_mib"])


def _deferring(python: Path, argument: str) -> Sequence[str]:
    return [str(python), str(Path(__file__).with_name("deferring.py")), argument]


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    ended = subprocess.run(
        [*command],
        cwd=REPOSITORY,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_FOR_A_PROGRAM,
        check=False,
    )
    if ended.returncode:
        raise ProgramFailed(f"{' '.join(command)} ended with exit code {ended.returncode}:\n{ended.stderr.strip()}")
    return ended.stdout
