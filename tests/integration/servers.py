"""The local servers as single components, for tests that do without the whole system."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from local.component import Component, answers
from local.ports import HOST, reserve_port

REPOSITORY = Path(__file__).parents[2]


def server(name: str, folder: Path, options: Sequence[str]) -> Component:
    """`python -m local.NAME` on a free port, with its log in `folder`."""
    port = reserve_port()
    url = f"http://{HOST}:{port}"
    return Component(
        name=name,
        command=[sys.executable, "-m", f"local.{name}", "--port", str(port), *options],
        environment=dict(os.environ),
        folder=REPOSITORY,
        log=folder / f"{name}.log",
        ready=lambda: answers(url),
        address=url,
    )
