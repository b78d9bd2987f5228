"""`make demo-migration`, as a person sees it."""

import os
import re
import subprocess
import sys

from local.system import REPOSITORY

STEPS = (
    "start",
    "shadow",
    "compare",
    "promote",
    "rollback",
    "status",
    "shadow",
    "compare",
    "promote",
    "history",
    "finish",
)


def test_the_samples_move_and_one_goes_back_and_comes_again() -> None:
    command = [sys.executable, "-m", "local.demo_migration"]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    shown = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert tuple(re.findall(r"^\$ python migrate\.py (\w+)", shown.stdout, re.MULTILINE)) == STEPS
    moved = set(re.findall(r"the older service loaded demo\.(\w+)", shown.stdout))
    # Two columns of it have one name, at which the older service fails.
    assert moved >= {"budget", "inventory", "signups"}
    assert "roster" not in moved
    assert moved == set(re.findall(r"the job loaded demo\.(\w+)", shown.stdout))
    assert moved == set(re.findall(r"dropping shadow table local-project\.demo_shadow\.(\w+)", shown.stdout))
    assert not re.search(r"MISMATCH|SHEET_CHANGED|SHADOW_OLDER|Traceback", shown.stdout + shown.stderr)
    assert "every table is the job's, and as the older service loaded it" in shown.stdout
    assert [line for line in shown.stdout.splitlines() if line != line.rstrip()] == []
