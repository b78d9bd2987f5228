"""What was measured: a table that a person reads, and one line of JSON for the history."""

import importlib.metadata
import json
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from local.bench.dispatch.rounds import Load, Run
from local.bench.packages import REQUIREMENTS
from local.bench.surroundings import commit, machine

NAMES = {
    "dispatch": "dispatch",
    "procrastinate": "procrastinate, batch_defer",
    "one_by_one": "dispatch, publishing one by one",
}
MEASURES: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "per_second": ("per second", lambda value: f"{value:,.0f}"),
    "cpu_microseconds": ("client's CPU, µs each", lambda value: f"{value:,.0f}"),
    "peak_mib": ("client's peak memory, MiB", lambda value: f"{value:,.0f}"),
}
OF_THE_PRODUCT = ("pg8000", "google-cloud-pubsub", "grpcio", "msgspec")
OF_PROCRASTINATE = ("procrastinate", "psycopg")


def table(load: Load, medians: Mapping[str, Run]) -> Table:
    shown = Table(title=f"{load}, medians", title_justify="left")
    shown.add_column("")
    for label, _ in MEASURES.values():
        shown.add_column(label, justify="right")
    shown.add_column("dispatch is faster by", justify="right")
    for name, run in medians.items():
        values = [text(getattr(run, measure)) for measure, (_, text) in MEASURES.items()]
        ratio = medians["dispatch"].per_second / run.per_second
        shown.add_row(NAMES[name], *values, "" if name == "dispatch" else f"{ratio:.1f} ×")
    return shown


def append_history(path: Path, load: Load, rounds: int, postgres: str, medians: Mapping[str, Run]) -> None:
    """Append the measurement with all that it depends on; `postgres` is the server's version."""
    line = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "configs": load.configs,
        "due": load.due,
        "rounds": rounds,
        **{name: {key: round(value, 1) for key, value in asdict(run).items()} for name, run in medians.items()},
        "machine": machine(),
        "versions": {"python": platform.python_version(), "postgres": postgres, **_packages()},
    }
    with path.open("a") as history:
        history.write(json.dumps(line) + "\n")


def _packages() -> dict[str, Any]:
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE))
    ours = {name: importlib.metadata.version(name) for name in OF_THE_PRODUCT}
    return ours | {name: pins[name] for name in OF_PROCRASTINATE}
