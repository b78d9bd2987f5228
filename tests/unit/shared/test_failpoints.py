"""Failpoints: nothing where nobody asks, once where somebody does."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared import failpoints

COMES_THERE_TWICE = """
import sys
from shared import failpoints
failpoints.arm(sys.argv[1] or None)
for time in ("once", "twice"):
    failpoints.failpoint("here")
    print(time, flush=True)
"""


def comes_there(folder: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", COMES_THERE_TWICE, folder]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_unarmed_process_passes() -> None:
    assert comes_there("").stdout.split() == ["once", "twice"]


def test_an_armed_process_passes_where_no_file_asks_for_anything(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("exit")
    assert comes_there(str(tmp_path)).stdout.split() == ["once", "twice"]


def test_who_comes_first_is_killed_and_the_next_passes(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("exit")
    first, second = comes_there(str(tmp_path)), comes_there(str(tmp_path))
    assert (first.returncode, first.stdout) == (-9, "")
    assert second.stdout.split() == ["once", "twice"]


def test_a_process_can_be_made_to_sleep_or_to_fail(tmp_path: Path) -> None:
    failpoints.arm(str(tmp_path))
    try:
        (tmp_path / "here").write_text("sleep 0.2")
        began = time.monotonic()
        failpoints.failpoint("here")
        assert time.monotonic() - began >= 0.2
        (tmp_path / "here").write_text("raise")
        with pytest.raises(RuntimeError, match="failpoint here"):
            failpoints.failpoint("here")
    finally:
        failpoints.arm(None)
