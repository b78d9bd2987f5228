"""The functions under functions-framework, from the folders that deploy.sh stages."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.component import Component, ComponentFailed, answers
from local.ports import HOST

NAMES = ("dispatch", "launch", "complete", "forward", "console")


def stage(repository: Path, folder: Path) -> None:
    """Run `deploy.sh stage` into `folder`; raises `ComponentFailed` with what it said."""
    staged = subprocess.run(
        [str(repository / "deploy.sh"), "stage"],
        env=os.environ | {"BUILD_FOLDER": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if staged.returncode != 0:
        raise ComponentFailed(f"deploy.sh stage failed: {staged.stderr.strip()}")


def function(name: str, staged: Path, port: int, environment: Mapping[str, str], log: Path) -> Component:
    """One function's process, from `staged`/NAME."""
    url = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "functions_framework", "--source", str(staged / name / "main.py")]
    command += ["--target", name, "--host", HOST, "--port", str(port)]
    return Component(
        name=name,
        command=command,
        environment=environment,
        folder=staged / name,
        log=log,
        # Answered by the framework itself, with 404: asking for / would call the function.
        ready=lambda: answers(f"{url}/robots.txt"),
        address=url,
    )
