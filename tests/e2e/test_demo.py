"""`make demo`, as a person sees it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import xlsxwriter

from local.sample_files import SAMPLES
from tests.local.system.processes import descendants_of, is_running

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO = [sys.executable, "-m", "local.demo"]


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The demo's output, in an environment that has nothing of this one's but its PATH."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ}
    command = [*DEMO, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def own_sheet(tmp_path: Path) -> Path:
    """A person's workbook: two tabs whose names make one table's, and one without rows."""
    path = tmp_path / "My sheet (final).xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        for name in ("Plan A", "Plan-A", "Later"):
            worksheet = workbook.add_worksheet(name)
            worksheet.write_row(0, 0, ["Name", "Price €", "", "Name"])
        for worksheet in workbook.worksheets()[:2]:
            worksheet.write_row(1, 0, ["Ada's", 1.5, "", True])
            worksheet.write_row(3, 0, ["[bold]", 2, 3, False])
    return path


def test_the_samples_land_and_last_run_moves() -> None:
    result = run()
    assert result.returncode == 0, result.stdout
    for sample in SAMPLES.glob("*.xlsx"):
        assert f"✔ {sample.stem} · " in result.stdout
    assert "✘" not in result.stdout
    assert "last_run never → 20" in result.stdout
    assert (
        "    ! 1 cell is in error, loaded as NULL: 'Budget 2024'!F17\n      (https://docs.google.com/" in result.stdout
    )
    assert "everything is stopped again" in result.stdout
    assert [line for line in result.stdout.splitlines() if line != line.rstrip()] == []


def test_a_sheet_of_ones_own_lands(own_sheet: Path) -> None:
    # A proxy that does not exist: nothing on this machine is asked for through it.
    result = run("--sheet", str(own_sheet), http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "demo.my_sheet_final_plan_a\n" in result.stdout
    assert "demo.my_sheet_final_plan_a_2\n" in result.stdout
    assert "Left out, without a row below row 1: My_sheet_final · Later" in result.stdout
    assert "[bold]" in result.stdout


def test_what_is_no_sheet_is_refused_before_anything_starts(tmp_path: Path) -> None:
    letter = tmp_path / "letter.xlsx"
    letter.write_text("Dear all,")
    result = run("--sheet", str(letter))
    assert result.returncode == 1
    assert "is not an .xlsx file: save or download it as Microsoft Excel" in result.stdout
    assert "Started" not in result.stdout


def test_an_interrupted_demo_leaves_nothing_running() -> None:
    with subprocess.Popen(DEMO, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        while "running" not in demo.stdout.readline():
            pass
        started = descendants_of(demo.pid)
        # Nine components, the functions' workers, PostgreSQL's processes, and the job's.
        assert len(started) > 12
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=30) == 130
        assert "Stopping …\nStopped; nothing is left running." in demo.stdout.read()
    assert not [pid for pid in started if is_running(pid)]
