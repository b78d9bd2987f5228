"""The system's parts with hops between all of them: processes that are called, stopped, killed and healed."""

import contextlib
import os
import signal
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pg8000.native

from local import functions, scheduler
from local.clients import LocalClients
from local.component import Component, ComponentFailed
from local.environment import PROJECT
from local.ports import HOST, reserve_port
from local.postgres import DATABASE, SUPERUSER, USER
from local.system import System
from tests.faults.failpoints import Failpoints
from tests.faults.hops.hops import Hops
from tests.faults.hops.http import Exchange
from tests.faults.listener import CHANNELS, TOKEN, Listener
from tests.faults.metadata import Metadata
from tests.faults.rest import ask
from tests.faults.witness import Witness

# Short, so that what has to wait for a lease or a deadline does so within a round.
LIMITS = {
    "LEASE_SECONDS": "2",
    "RETRY_SECONDS": "1",
    "RUN_TIMEOUT_SECONDS": "10",
    "MAX_RUNNING": "6",
    "MAX_ATTEMPTS": "6",
    "SHEETS_READS_PER_MINUTE": "240",
    # The arena sweeps again and again, each time when the sweep before has answered.
    "SWEEP_SECONDS": "1",
    "PAUSE_AFTER_FAILURES": "3",
    "RUNS_KEPT_DAYS": "30",
}


class Components:
    """A running system under faults; only the main thread may start and kill its components.

    `settings` are the functions' (all of `LIMITS` have to be in it), `job_settings` those of the deployed job.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        settings: Mapping[str, str] = LIMITS,
        job_settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.limits = dict(settings)
        self.witness = Witness()
        self.listener = Listener()
        self.metadata = Metadata()
        self.hops = Hops(seed, self._observe)
        told = {name: self.hops.detour(name, self.listener.port) for name in CHANNELS}
        for name in ("failpoints", "samples", "scratch"):
            (folder / name).mkdir()
        self.failpoints = Failpoints(folder / "failpoints", folder / "scratch")
        self.injected: Counter[str] = Counter()
        # From when to when a fault killed processes, or kept the database from them.
        self.troubles: list[tuple[float, float]] = []
        self._others: list[Component] = []
        self._changed: set[str] = set()
        self._calls: list[Future[bytes | None]] = []
        armed = {"FAILPOINTS": str(self.failpoints.folder)}
        self.system = System(
            folder,
            folder / "samples",
            settings={**self.limits, **_telling(told), **armed},
            job_settings={**(job_settings or {}), **armed},
            detour=self.hops.detour,
            faulty=True,
        )
        self._callers = ThreadPoolExecutor(24, thread_name_prefix="caller")

    def begin(self) -> None:
        """Start everything."""
        self.system.__enter__()
        # Around the hops: what the judge learns must not depend on the faults.
        self.postgres_port = int(self.system.addresses["postgres"].rpartition(":")[2].partition("/")[0])
        reached = {
            "BIGQUERY_EMULATOR_HOST": self.system.addresses["bigquery"],
            "POSTGRES_PORT": str(self.postgres_port),
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.system.key_file),
        }
        self.around = {**self.system.settings, **reached}
        self.clients = LocalClients(self.around)

    def end(self) -> None:
        """End everything; also what did not start whole."""
        self._callers.shutdown(wait=False, cancel_futures=True)
        for component in self._others:
            component.stop()
        self.system.stop_all()
        self.hops.stop()
        self.listener.stop()
        self.metadata.stop()

    def _observe(self, exchange: Exchange) -> None:
        self.witness.observe(exchange)
        self.listener.observe(exchange)

    def also(self, component: Component) -> None:
        """Something more that ends with the arena."""
        self._others.append(component)

    def limit_connections(self, most: int) -> None:
        """How many connections the product's role may have; -1 takes the limit back."""
        settings = self.system.settings
        admin = pg8000.native.Connection(
            SUPERUSER, host=HOST, port=self.postgres_port, database=DATABASE, password=settings["POSTGRES_PASSWORD"]
        )
        admin.run(f"ALTER ROLE {USER} CONNECTION LIMIT {most}")
        admin.close()

    def call(self, path: str, body: bytes = b"") -> "Future[bytes | None]":
        """Cloud Scheduler's call of dispatch, through its hop and in the background; None where it failed."""
        url = f"http://{HOST}:{self.hops.ports['dispatch']}"
        self._calls = [call for call in self._calls if not call.done()]
        self._calls.append(self._callers.submit(self.call_at, url, path, body))
        return self._calls[-1]

    def call_at(self, url: str, path: str, body: bytes = b"") -> bytes | None:
        """The answer of a dispatch function anywhere."""
        try:
            return scheduler.call(url, path, self.system.key_file, body)
        except OSError:
            return None

    def another(self, name: str, number: int) -> Component:
        """One more process of a function, started, at an address of its own; whoever asks for it stops it."""
        environment, log = self.system.environment, self.folder / "logs" / f"{name}-{number}.log"
        more = functions.function(name, self.folder / "build", reserve_port(), environment, log)
        more.start()
        return more

    def wait_for_calls(self) -> None:
        """Until nobody waits for an answer of dispatch any more."""
        wait(self._calls)

    @contextlib.contextmanager
    def trouble(self) -> Iterator[None]:
        """Around what kills processes, or keeps the database from them."""
        began = time.time()
        yield
        self.troubles.append((began, time.time() + 1))

    def order(self, server: str, **faults: Any) -> None:
        """Order faults of a local server."""
        ask(f"{self.system.addresses[server]}/faults", faults)

    def executions(self) -> dict[str, int]:
        """The process ids of the executions that run, by the execution's short name."""
        found: dict[str, int] = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                variables = (entry / "environ").read_bytes().split(b"\0")
                if f"FAILPOINTS={self.failpoints.folder}".encode() in variables:
                    name = next((each for each in variables if each.startswith(b"CLOUD_RUN_EXECUTION=")), None)
                    if name:
                        found[name.partition(b"=")[2].decode()] = int(entry.name)
        return found

    def cancel_execution(self, execution: str) -> None:
        """As a person does in the console."""
        job = f"projects/{PROJECT}/locations/us-central1/jobs/sheettobigquery-job"
        with contextlib.suppress(urllib.error.HTTPError):
            ask(f"{self.system.addresses['run']}/v2/{job}/executions/{execution}:cancel", {})

    def signal(self, name: str, number: signal.Signals) -> None:
        """To all of a component's processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.system.processes[name], number)

    def start(self, name: str, more: Mapping[str, str] | None = None) -> None:
        """Start a component again; one that dies of it, as gRPC's threads sometimes do, is started once more."""
        try:
            self.system.start(name, more)
        except ComponentFailed:
            self.system.start(name, more)

    def change(self, name: str, more: Mapping[str, str]) -> None:
        """Start a function with something else in its environment; `heal` starts it again as it was."""
        self._changed.add(name)
        with self.trouble():
            self.system.kill(name)
            self.start(name, more)

    def heal(self) -> None:
        """No more faults; what was killed or stopped goes on."""
        self.hops.clear()
        self.failpoints.disarm()
        for name in sorted(self._changed):
            self.change(name, {})
        self._changed.clear()
        for pid in self.executions().values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for name in ("dispatch", "launch", "complete", "postgres"):
            if name not in self.system.processes:
                self.start(name)
            self.signal(name, signal.SIGCONT)
        self.order("bigquery", load_seconds=0.0)


def _telling(ports: Mapping[str, int]) -> dict[str, str]:
    """The settings by which people are told on both channels."""
    return {
        "slack_accessToken": TOKEN,
        "SLACK_API_ENDPOINT": f"http://{HOST}:{ports['slack']}/api",
        "NOTIFY_WEBHOOK_URL": f"http://{HOST}:{ports['webhook']}/hook",
    }
