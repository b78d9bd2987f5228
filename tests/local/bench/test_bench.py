"""The benchmark measures what it says, and refuses to measure what did not do its work. It is no timed test."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from local.bench.packages import REPOSITORY
from local.bench.process import ProgramFailed, run_measured
from local.bench.rounds import Run, Stage, Way, median
from local.bench.tab import SPREADSHEET_ID, TITLE, Size, spreadsheet

TINY = Size(rows=60, columns=10)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(TINY) as running:
        yield running


def python(source: str) -> Way:
    return Way("program", [sys.executable, "-c", source])


def test_every_way_loads_a_tiny_tab_and_the_numbers_appear(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    command = [sys.executable, "-m", "local.bench", "--tab", "60x10", "--rounds", "1", "--history", str(history)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=280)
    assert ended.returncode == 0, ended.stderr
    assert "60 × 10" in ended.stdout
    for label in ("CPU seconds", "wall seconds", "peak memory, MiB", "downloaded, MB", "uploaded, MB"):
        assert label in ended.stdout
    [line] = history.read_text().splitlines()
    measured = json.loads(line)
    assert (measured["rows"], measured["columns"], measured["rounds"]) == (60, 10, 1)
    for way in ("job", "limit", "habitual"):
        assert all(value > 0 for value in measured[way].values()), measured[way]
    for one, other in (("job", "limit"), ("habitual", "job")):
        ratio = measured[one]["cpu_seconds"] / measured[other]["cpu_seconds"]
        assert measured["ratios"][f"{one} / {other}"]["cpu_seconds"] == pytest.approx(ratio, rel=0.02)
    assert measured["machine"]["cores"] > 0
    assert measured["versions"]["habitual"]["pandas"]


def test_a_program_that_loads_nothing_is_not_measured(stage: Stage) -> None:
    with pytest.raises(ProgramFailed, match="loaded 0 rows of 60"):
        stage.run(python("pass"))


def test_a_program_that_fails_is_told_with_the_end_of_its_output(stage: Stage) -> None:
    with pytest.raises(ProgramFailed, match=r"exit code 3(?s:.*)something is missing"):
        stage.run(python("print('something is missing'); raise SystemExit(3)"))


def test_cpu_and_memory_are_those_of_the_program(tmp_path: Path) -> None:
    idle = run_measured([sys.executable, "-c", "pass"], {}, tmp_path, tmp_path / "log")
    source = "x = bytearray(300 << 20); n = 0\nfor n in range(10_000_000): pass"
    busy = run_measured([sys.executable, "-c", source], {}, tmp_path, tmp_path / "log")
    assert busy.peak_mib > 300 > idle.peak_mib
    assert busy.cpu_seconds > idle.cpu_seconds
    asleep = run_measured([sys.executable, "-c", "import time; time.sleep(1)"], {}, tmp_path, tmp_path / "log")
    assert asleep.wall_seconds > 1 > asleep.cpu_seconds


def test_a_programs_memory_is_not_that_of_who_starts_it(tmp_path: Path) -> None:
    large = b"x" * (300 << 20)
    idle = run_measured([sys.executable, "-c", "pass"], {}, tmp_path, tmp_path / "log")
    assert idle.peak_mib < 100 < len(large) >> 20


def test_the_server_counts_bytes_as_they_are_sent_and_answers_the_same_twice(stage: Stage) -> None:
    stage.take_traffic()
    url = f"{stage.url}/v4/spreadsheets/{SPREADSHEET_ID}/values/{TITLE}"
    first = httpx.get(url, trust_env=False)
    assert first.headers["content-encoding"] == "gzip"
    sent = int(first.headers["content-length"])
    second = httpx.get(url, trust_env=False)
    assert second.json() == first.json()
    traffic = stage.take_traffic()
    assert (traffic["requests"], traffic["downloaded_bytes"]) == (2, 2 * sent)
    assert stage.take_traffic()["requests"] == 0


@pytest.mark.parametrize("resumable", [False, True])
def test_the_server_counts_the_rows_of_both_kinds_of_upload(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, resumable: bool
) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", stage.url)
    file = io.BytesIO()
    pq.write_table(pa.table({"n": range(7)}), file)
    size = None if resumable else file.tell()
    client = bigquery.Client(project="p", credentials=AnonymousCredentials())
    settings = bigquery.LoadJobConfig(source_format="PARQUET")
    stage.take_traffic()
    job = client.load_table_from_file(file, "p.d.t", rewind=True, size=size, job_config=settings)
    assert job.result(timeout=20).output_rows == 7
    traffic = stage.take_traffic()
    assert traffic["rows"] == 7
    assert traffic["uploaded_bytes"] > file.tell()


def test_a_tab_is_the_same_each_time_with_blanks_and_rows_that_end_early() -> None:
    [tab] = spreadsheet(TINY).tabs
    assert [column.values for column in tab.columns] == [column.values for column in spreadsheet(TINY).tabs[0].columns]
    assert all(len(column.values) == TINY.rows + 1 for column in tab.columns)
    assert None in tab.columns[-1].values
    assert {type(value) for column in tab.columns for value in column.values} == {
        str,
        int,
        float,
        bool,
        type(None),
    }


@pytest.mark.parametrize("text", ["", "10", "x10", "10x", "0x10", "10 x 10", "-1x5"])
def test_a_size_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="ROWSxCOLUMNS"):
        Size.parse(text)


def test_what_is_told_of_several_runs_is_the_median() -> None:
    runs = [Run(value, value, value, value, value, value) for value in (5.0, 1.0, 2.0)]
    assert median(runs) == Run(2, 2, 2, 2, 2, 2)
