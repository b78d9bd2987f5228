"""Registering configs as a person does: through the product's own command."""

import json
import subprocess
import sys
from collections.abc import Sequence

from local.component import ComponentFailed
from local.environment import PROJECT
from local.system import REPOSITORY, System
from local.tabs import DATASET, Tab


def register(system: System, tabs: Sequence[Tab]) -> dict[int, Tab]:
    """Add one daily config per tab, and return the tabs by their config's id.

    Raises `ComponentFailed` with what the command said.
    """
    return {_add(system, tab): tab for tab in tabs}


def _add(system: System, tab: Tab) -> int:
    command = [sys.executable, "job_helper.py", "add", tab.url, "--tab", tab.title, "--name", tab.name]
    command += ["--project", PROJECT, "--dataset", DATASET, "--table", tab.name, "--json"]
    added = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=dict(system.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if added.returncode != 0:
        raise ComponentFailed(f"job_helper.py add refused {tab.name}: {added.stderr.strip() or added.stdout}")
    return int(json.loads(added.stdout)["id"])
