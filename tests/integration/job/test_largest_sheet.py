"""The largest sheet that Google allows, in half of the half gigabyte that the job is given."""

import sys

import pytest

from local.bench.__main__ import LARGEST
from local.bench.process import ProgramFailed
from local.bench.rounds import Stage, Way
from local.bench.tab import MOST_CELLS, Size

MIB = 1 << 20
CONTAINER = 512
# What the kernel refuses to exceed is all memory of the process's own that can be written: the heap, Arrow's memory,
# thread stacks, used or only set aside. It is more than what a container counts of it, and needs no rights over
# cgroups. Only pages of files are not in it, which a container under pressure gives back; the resident peak has them.
LIMITED = """
import os, resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def limited(*arguments: str) -> Way:
    """Python with these arguments, in a process that may have no more memory than the container."""
    return Way("limited", [sys.executable, "-c", LIMITED, str(CONTAINER * MIB), *arguments])


def test_the_largest_sheet_is_loaded_with_half_of_the_memory_to_spare() -> None:
    assert LARGEST.rows * LARGEST.columns == MOST_CELLS
    with Stage(LARGEST) as stage:
        run = stage.run(limited("main.py"))  # which fails unless every row is loaded
    assert run.peak_mib < CONTAINER / 2
    # Drive's and BigQuery's among them; so Sheets' quota of 60 reads a minute has room for retries.
    assert run.requests <= 55


def test_the_limit_stops_what_needs_more() -> None:
    with Stage(Size(1, 1)) as stage, pytest.raises(ProgramFailed, match="MemoryError"):
        stage.run(limited("-c", f"bytearray({CONTAINER * MIB})"))
