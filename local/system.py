"""The whole system on one machine: every part a real process on 127.0.0.1, started and stopped together.

with System(folder, samples) as system:
    subprocess.run([sys.executable, "job_helper.py", "list"], env=system.environment)
"""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType

from local import functions, servers
from local.component import Component, ComponentFailed, wait_until_ready
from local.credentials import write_key
from local.environment import PROJECT, Environment
from local.ports import reserve_port
from local.postgres import Postgres
from local.pubsub import COMPLETIONS, PORTAL, REQUESTS, PubSub

REPOSITORY = servers.REPOSITORY
# A busy machine with two slow cores takes a tenth of it at best.
SECONDS_TO_START = 60
# What sends work ends first, then what does it, then what keeps it; whatever a group holds ends at once.
ORDER_OF_ENDING = (
    ("scheduler", "run", "pubsub"),
    functions.NAMES,
    ("service",),
    ("sheets", "bigquery", "credentials", "postgres"),
)
COMPONENTS = tuple(name for group in ORDER_OF_ENDING for name in group)
# What only a migration needs: the function that forwards, and the older service to which it does.
MIGRATING = ("forward", "service")
# Where `make up` serves the console, so that its address can be kept; another port where somebody has this one.
CONSOLE_PORT = 8088
_SIGNALS_THAT_END = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class System:
    """One local system in `folder` (empty), serving the spreadsheets in `samples` (.xlsx files).

    `settings` adds to the functions' environment or overrides it, `job_settings` to the job's; `scheduler` calls
    dispatch by the clock. `with_service` has the older service, too, and the portal's topic, whose messages are
    forwarded to it. `with_console` serves the console, at `console_port` if given. `detour` is told each component's
    name and port, and gives the port at which others reach it: another one where something stands between. With
    `faulty`, servers take orders to fail.
    As a context manager it is ready when entered, and everything that it started has ended when left. Only
    the main thread may start components.
    """

    def __init__(
        self,
        folder: Path,
        samples: Path,
        *,
        settings: Mapping[str, str] | None = None,
        job_settings: Mapping[str, str] | None = None,
        scheduler: bool = False,
        with_service: bool = False,
        with_console: bool = False,
        console_port: int | None = None,
        detour: Callable[[str, int], int] = lambda _, port: port,
        faulty: bool = False,
    ) -> None:
        ports = {name: reserve_port() for name in COMPONENTS}
        if console_port is not None:
            ports["console"] = console_port
        detours = {name: detour(name, port) for name, port in ports.items()}
        self.folder = folder
        self.samples = samples
        self._with_scheduler = scheduler
        self._left_out = [*(() if with_service else MIGRATING), *(() if with_console else ("console",))]
        self._with_service = with_service
        self._postgres = Postgres.in_folder(folder / "postgres", ports["postgres"])
        self._pubsub = PubSub(PROJECT, ports["pubsub"])
        self._environment = Environment(
            folder,
            ports,
            self._postgres,
            self._pubsub,
            dict(settings or {}),
            detours,
            dict(job_settings or {}),
            faulty,
            with_service,
        )
        self._components: dict[str, Component] = {}

    def __enter__(self) -> "System":
        try:
            self._start()
        except BaseException:
            self.stop_all()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop_all()

    @property
    def settings(self) -> Mapping[str, str]:
        """Every setting of the product: what a deployment gives its functions."""
        return self._environment.settings

    @property
    def environment(self) -> Mapping[str, str]:
        """A complete environment for a command run against this system."""
        return {**self._environment.process, **self._environment.settings}

    @property
    def key_file(self) -> Path:
        """The throw-away service account's key file."""
        return self._environment.key_file

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where each component is reached."""
        return {name: component.address for name, component in self._components.items()}

    @property
    def processes(self) -> Mapping[str, int]:
        """The process ids of the components that run; each leads a process group."""
        return {name: component.pid for name, component in self._components.items() if component.running}

    def log(self, name: str) -> Path:
        """A component's log file; the Cloud Run server keeps its executions' logs under `folder`/run/logs."""
        return self.folder / "logs" / f"{name}.log"

    def tail(self, name: str) -> str:
        """The end of a component's log."""
        return self._components[name].tail()

    def check_running(self) -> None:
        """Raises `ComponentFailed` if a component ended that nobody stopped."""
        for component in self._components.values():
            component.check_running()

    def start(self, name: str, more: Mapping[str, str] | None = None) -> None:
        """Start a component that was stopped or killed, at its former address, and wait until it serves.

        This once with `more` in its environment.
        """
        self._components[name].start(more)
        wait_until_ready([self._components[name]], SECONDS_TO_START)
        if name == "pubsub":
            self._create_topics()

    def stop(self, name: str) -> None:
        """End one component in order."""
        self._components[name].stop()

    def kill(self, name: str) -> None:
        """kill -9 one component with all that it started."""
        self._components[name].kill()

    def stop_all(self) -> None:
        """End everything; a second Ctrl-C meanwhile waits, so that nothing is left behind."""
        with _held_signals():
            for names in ORDER_OF_ENDING:
                group = [self._components[name] for name in names if name in self._components]
                for component in group:
                    component.ask_to_stop()
                for component in group:
                    component.stop()

    def _start(self) -> None:
        (self.folder / "logs").mkdir()
        (self.folder / "home").mkdir()
        write_key(self.key_file, PROJECT, f"{self._environment.url('credentials')}/token")
        self._start_everything()
        wait_until_ready([self._components["postgres"]], SECONDS_TO_START)
        self._postgres.create_database()
        self._apply_schema()
        wait_until_ready(list(self._components.values()), SECONDS_TO_START)
        self._create_topics()
        if self._with_scheduler:
            self._run(servers.scheduler(self._environment, self.log("scheduler")))

    def _start_everything(self) -> None:
        """Start all processes without waiting for any; the slowest, Java, gets ahead of the rest."""
        environment, process = self._environment, self._environment.process
        self._run(self._pubsub.component(process, self.folder, self.log("pubsub")))
        self._postgres.create_cluster()
        self._run(self._postgres.component(process, self.log("postgres")))
        staged = self.folder / "build"
        functions.stage(REPOSITORY, staged)
        for name in functions.NAMES:
            if name not in self._left_out:
                port = environment.ports[name]
                self._run(functions.function(name, staged, port, self.environment, self.log(name)))
        self._run(servers.credentials(environment, self.log("credentials")))
        self._run(servers.bigquery(environment, self.log("bigquery")))
        self._run(servers.sheets(environment, self.samples, self.log("sheets")))
        self._run(servers.run(environment, self.log("run")))
        if self._with_service:
            self._run(servers.service(environment, self.log("service")))

    def _run(self, component: Component) -> None:
        self._components[component.name] = component
        component.start()

    def _apply_schema(self) -> None:
        """By the product's own command."""
        applied = subprocess.run(
            [sys.executable, "-m", "sql", "up"],
            cwd=REPOSITORY,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if applied.returncode != 0:
            raise ComponentFailed(f"the schema could not be applied: {applied.stderr or applied.stdout}")

    def _create_topics(self) -> None:
        reached = self._environment.reached
        endpoints = {REQUESTS: reached("launch"), COMPLETIONS: reached("complete")}
        if self._with_service:
            endpoints[PORTAL] = reached("forward")
        self._pubsub.create_topics({topic: f"http://{address}" for topic, address in endpoints.items()})


@contextlib.contextmanager
def _held_signals() -> Iterator[None]:
    former = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS_THAT_END)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
