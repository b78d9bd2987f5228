"""The benchmark of dispatch measures what it says, and refuses to measure what did not do its work. No timed test."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.bench.dispatch.rounds import Run, Way, median, run_once
from local.bench.dispatch.stage import Stage
from local.bench.packages import REPOSITORY
from local.bench.process import ProgramFailed

QUEUED = "SELECT count(*) FROM sheet_to_bigquery_runs WHERE state = 'queued'"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as running:
        running.create_fleet("fleet", configs=50, due=20)
        yield running


def way(module: str) -> Way:
    return Way("dispatch", [sys.executable, "-m", module], "fleet", QUEUED, publishes=True)


def test_all_ways_hand_on_what_is_due_and_the_numbers_appear(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    options = ["--due", "30", "--configs", "40", "--rounds", "1", "--history", str(history)]
    command = [sys.executable, "-m", "local.bench.dispatch", *options]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=280)
    assert ended.returncode == 0, ended.stderr
    assert "30 due of 40 configs" in ended.stdout
    [line] = history.read_text().splitlines()
    measured = json.loads(line)
    assert (measured["configs"], measured["due"], measured["rounds"]) == (40, 30, 1)
    for name in ("dispatch", "procrastinate", "one_by_one"):
        assert all(value > 0 for value in measured[name].values()), measured[name]
    assert measured["machine"]["cores"] > 0
    assert {"python", "postgres", "pg8000", "procrastinate", "psycopg"} <= measured["versions"].keys()


def test_the_products_dispatch_publishes_each_due_config_once(stage: Stage) -> None:
    run = run_once(stage, way("local.bench.dispatch.product"), due=20)
    assert run.per_second > 0
    assert 20 < run.peak_mib < 500


def test_a_program_that_hands_on_less_is_not_measured(stage: Stage) -> None:
    with pytest.raises(ProgramFailed, match="'told': 20, 'in PostgreSQL': 20, 'published': 20} of 21"):
        run_once(stage, way("local.bench.dispatch.product"), due=21)


def test_a_program_that_only_says_so_is_not_measured(stage: Stage) -> None:
    lie = """print('{"count": 20, "seconds": 1, "cpu_seconds": 1, "peak_mib": 1}')"""
    liar = Way("liar", [sys.executable, "-c", lie], "fleet", QUEUED, publishes=True)
    with pytest.raises(ProgramFailed, match="'in PostgreSQL': 0, 'published': 0} of 20"):
        run_once(stage, liar, due=20)


def test_what_is_told_of_several_runs_is_the_median() -> None:
    assert median([Run(value, value, value) for value in (5.0, 1.0, 2.0)]) == Run(2, 2, 2)
