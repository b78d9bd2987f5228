"""Registering configs and having them dispatched, as people and Cloud Scheduler do it."""

import json
import subprocess
import sys
import urllib.error
from collections.abc import Sequence

from local.component import ComponentFailed
from local.environment import PROJECT
from local.scheduler import call
from local.system import REPOSITORY, System
from local.tabs import DATASET, Tab


def register(system: System, tabs: Sequence[Tab]) -> dict[int, Tab]:
    """Add one daily config per tab by the product's own command, and return the tabs by their config's id.

    Raises `ComponentFailed` with what the command said.
    """
    return {_add(system, tab): tab for tab in tabs}


def dispatch(system: System) -> None:
    """One call of dispatch as Cloud Scheduler makes it; raises `ComponentFailed` if it is not answered with 200."""
    try:
        call(system.addresses["dispatch"], "/run", system.key_file)
    except urllib.error.HTTPError as error:
        told = error.read().decode(errors="replace")
        raise ComponentFailed(f"dispatch answered {error.code}: {told}\n{system.tail('dispatch')}") from error


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
