"""The job's entry: what it does not take."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]


def test_a_stray_argument_loads_nothing() -> None:
    command = [sys.executable, "main.py", "--help"]
    done = subprocess.run(command, cwd=REPOSITORY, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "takes no arguments" in done.stderr
