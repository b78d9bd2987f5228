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

from local.bench.packages import REQUIREMENTS
from local.bench.rounds import Run
from local.bench.surroundings import commit, machine
from local.bench.tab import Size

# Those that a measurement depends on most.
TOLD_PACKAGES = ("google-api-python-client", "google-cloud-bigquery", "msgspec", "pandas", "pyarrow")
MEASURES: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "cpu_seconds": ("CPU seconds", lambda value: f"{value:.2f}"),
    "wall_seconds": ("wall seconds", lambda value: f"{value:.2f}"),
    "peak_mib": ("peak memory, MiB", lambda value: f"{value:,.0f}"),
    "downloaded_bytes": ("downloaded, MB", lambda value: f"{value / 1e6:,.2f}"),
    "uploaded_bytes": ("uploaded, MB", lambda value: f"{value / 1e6:,.2f}"),
    "requests": ("requests", lambda value: f"{value:.0f}"),
}


# Two ways each, and how many times more of a measure the first one takes.
RATIOS = (("job", "limit"), ("habitual", "job"))


def ratios(medians: Mapping[str, Run], one: str, other: str) -> Mapping[str, float]:
    """How many times more `one` takes than `other`, by measure."""
    return {name: getattr(medians[one], name) / getattr(medians[other], name) for name in MEASURES}


def table(size: Size, medians: Mapping[str, Run]) -> Table:
    shown = Table(title=f"{size} cells, medians", title_justify="left")
    shown.add_column("")
    for heading in (*medians, *(f"{one} / {other}" for one, other in RATIOS)):
        shown.add_column(heading, justify="right")
    compared = [ratios(medians, *pair) for pair in RATIOS]
    for name, (label, text) in MEASURES.items():
        values = [text(getattr(run, name)) for run in medians.values()]
        shown.add_row(label, *values, *(f"{each[name]:.2f} ×" for each in compared))
    return shown


def append_history(path: Path, size: Size, rounds: int, medians: Mapping[str, Run]) -> None:
    """Append the measurement with all that it depends on."""
    line = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "rows": size.rows,
        "columns": size.columns,
        "rounds": rounds,
        **{name: _rounded(asdict(run)) for name, run in medians.items()},
        "ratios": {f"{one} / {other}": _rounded(ratios(medians, one, other)) for one, other in RATIOS},
        "machine": machine(),
        "versions": _versions(),
    }
    with path.open("a") as history:
        history.write(json.dumps(line) + "\n")


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


def _versions() -> dict[str, Any]:
    """Python's, and those of the packages of each way."""
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE))
    return {
        "python": platform.python_version(),
        "job": {name: _installed(name) for name in TOLD_PACKAGES if _installed(name)},
        "habitual": {name: pins[name] for name in TOLD_PACKAGES if name in pins},
    }


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
