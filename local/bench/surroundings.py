"""What a measurement depends on beside the programs: the revision and the machine."""

import functools
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from local.bench.packages import REPOSITORY


@functools.cache
def commit() -> str:
    """The revision that is measured, marked where files differ from it; empty outside a checkout.

    Asked once: what is appended to the history makes that differ, too.
    """
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return told.stdout.strip()


def machine() -> dict[str, Any]:
    """The processor, its cores, and the system."""
    return {"cpu": _cpu_model(), "cores": os.cpu_count(), "system": platform.platform()}


def _cpu_model() -> str:
    information = Path("/proc/cpuinfo")
    text = information.read_text() if information.exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return model[1] if model else platform.machine()
