"""The alternating runs of the ways over one tab."""

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

import httpx

from local.bench.packages import REPOSITORY
from local.bench.process import ProgramFailed, run_measured, tail
from local.bench.tab import SPREADSHEET_ID, TITLE, Size
from local.bench.traffic import MEASURED_PATH
from local.component import Component, answers, wait_until_ready
from local.credentials import write_key
from local.ports import HOST, reserve_port

PROJECT = "bench-project"
# Ten million cells are generated in half a minute, and made into the habitual way's one answer in some minutes.
SECONDS_TO_GENERATE = 300
SECONDS_TO_ANSWER = 1800


@dataclass(frozen=True)
class Way:
    """A way to load the tab: a program."""

    name: str
    command: Sequence[str]


def ways(habitual_python: Path) -> tuple[Way, Way, Way]:
    """The job, the limit, and the habitual way."""
    limit, habitual = (str(Path(__file__).with_name(name)) for name in ("limit.py", "habitual.py"))
    return (
        Way("job", [sys.executable, "main.py"]),
        Way("limit", [sys.executable, limit]),
        Way("habitual", [str(habitual_python), habitual]),
    )


@dataclass(frozen=True)
class Run:
    """One run, or the medians of several: what the process took, and what went over the wire."""

    cpu_seconds: float
    wall_seconds: float
    peak_mib: float
    requests: float
    downloaded_bytes: float
    uploaded_bytes: float


def median(runs: Sequence[Run]) -> Run:
    values = {field.name: statistics.median(getattr(run, field.name) for run in runs) for field in fields(Run)}
    return Run(**values)


class Stage:
    """A server over one tab, and the ways run against it. A context manager: leaving it stops the server."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self.url = f"http://{HOST}:{reserve_port()}"
        self._exit = ExitStack()

    def __enter__(self) -> "Stage":
        with ExitStack() as starting:
            self._folder = Path(starting.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            key_file = self._folder / "key.json"
            write_key(key_file, PROJECT, f"{self.url}/token")
            server = self._server(key_file)
            starting.callback(server.stop)
            server.start()
            wait_until_ready([server], SECONDS_TO_GENERATE)
            self._exit = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _server(self, key_file: Path) -> Component:
        port = self.url.rpartition(":")[2]
        size = f"{self._size.rows}x{self._size.columns}"
        options = ["--port", port, "--size", size, "--key-file", str(key_file)]
        return Component(
            name="bench server",
            command=[sys.executable, "-m", "local.bench.server", *options],
            environment=os.environ,
            folder=REPOSITORY,
            log=self._folder / "server.log",
            ready=lambda: answers(self.url),
        )

    def prepare(self) -> None:
        """Have the server make the habitual way's answer, which can take longer than that waits."""
        url = f"{self.url}/v4/spreadsheets/{SPREADSHEET_ID}/values/{TITLE}?alt=json"
        with httpx.stream("GET", url, timeout=SECONDS_TO_ANSWER, trust_env=False) as answer:
            answer.raise_for_status()
            for _ in answer.iter_raw():
                pass

    def run(self, way: Way) -> Run:
        """Run it once; raises ProgramFailed if it did not load every row."""
        self.take_traffic()
        log = self._folder / f"{way.name}.log"
        cost = run_measured(way.command, self._environment(), REPOSITORY, log)
        traffic = self.take_traffic()
        rows = traffic.pop("rows")
        if rows != self._size.rows:
            raise ProgramFailed(f"{way.name} loaded {rows} rows of {self._size.rows}:\n{tail(log)}")
        return Run(cost.cpu_seconds, cost.wall_seconds, cost.peak_mib, **traffic)

    def _environment(self) -> Mapping[str, str]:
        """The guide's variables, the endpoints, and nothing else."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "GOOGLE_SHEET_URL": f"https://docs.google.com/spreadsheets/d/{SPREADSHEET_ID}/edit",
            "GOOGLE_SHEET_TAB_NAME": TITLE,
            "GOOGLE_CLOUD_PROJECT_ID": PROJECT,
            "BIGQUERY_DATASET_ID": "bench",
            "BIGQUERY_TABLE_ID": "orders",
            "SCHEMA_HANDLING": "auto_detect",
            "SHEETS_API_ENDPOINT": self.url,
            "DRIVE_API_ENDPOINT": self.url,
            "BIGQUERY_EMULATOR_HOST": self.url,
            "GOOGLE_APPLICATION_CREDENTIALS": str(self._folder / "key.json"),
        }

    def take_traffic(self) -> dict[str, int]:
        """What the server counted since the last call: `Traffic`'s fields."""
        return dict(httpx.post(self.url + MEASURED_PATH, timeout=60, trust_env=False).raise_for_status().json())


def measure(size: Size, contenders: Sequence[Way], rounds: int, advance: Callable[[], None]) -> Mapping[str, Run]:
    """The medians of `rounds` runs of each way, by name, after one run of each that only warms up.

    The ways alternate, so that what else the machine does meets them alike. `advance` is called after each run.
    """
    runs: dict[str, list[Run]] = {way.name: [] for way in contenders}
    with Stage(size) as stage:
        stage.prepare()
        for number in range(rounds + 1):
            for way in contenders:
                run = stage.run(way)
                advance()
                if number:
                    runs[way.name].append(run)
    return {name: median(measured) for name, measured in runs.items()}
