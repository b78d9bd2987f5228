"""The whole system with hops between all its parts, people who use it, and a witness."""

import contextlib
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pg8000.native
from google.api_core.exceptions import NotFound
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from local import scheduler
from local.clients import LocalClients
from local.component import Component, ComponentFailed
from local.environment import PROJECT
from local.ports import HOST, direct
from local.postgres import DATABASE, SUPERUSER, USER
from local.pubsub import COMPLETIONS, REQUESTS
from local.system import System
from tests.faults import witness
from tests.faults.checker.history import History, Request
from tests.faults.hops.hops import Hops
from tests.faults.rest import TOKEN, ask
from tests.faults.sheets import MARK, Sheet
from tests.faults.witness import Witness

DATASET = "faults"
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
    # Some faults are permanent failures; each config has to converge all the same.
    "PAUSE_AFTER_FAILURES": "0",
}
# After all runs have ended: the emulator comes again within seconds, mostly.
SECONDS_FOR_MESSAGES = 20
AUDIT = Path(__file__).with_name("audit.sql")


class Arena:
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
        self.hops = Hops(seed, self.witness.observe)
        self.failpoints = folder / "failpoints"
        self.failpoints.mkdir()
        (folder / "samples").mkdir()
        (folder / "scratch").mkdir()
        self.sheets: dict[str, Sheet] = {}
        self.configs: dict[int, str] = {}
        self.modes: dict[str, str] = {}
        self.requests: list[Request] = []
        self.injected: Counter[str] = Counter()
        self._told: dict[str, str] = {}
        self._others: list[Component] = []
        armed = {"FAILPOINTS": str(self.failpoints)}
        self.system = System(
            folder,
            folder / "samples",
            settings={**self.limits, **armed},
            job_settings={**(job_settings or {}), **armed},
            detour=self.hops.detour,
            faulty=True,
        )
        self._callers = ThreadPoolExecutor(24, thread_name_prefix="caller")

    def __enter__(self) -> "Arena":
        try:
            self.system.__enter__()
            self._prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._callers.shutdown(wait=False, cancel_futures=True)
        for component in self._others:
            component.stop()
        self.system.stop_all()
        self.hops.stop()

    def _prepare(self) -> None:
        addresses = self.system.addresses
        # Around the hops: what the judge learns must not depend on the faults.
        self._postgres_port = int(addresses["postgres"].rpartition(":")[2].partition("/")[0])
        reached = {
            "BIGQUERY_EMULATOR_HOST": addresses["bigquery"],
            "POSTGRES_PORT": str(self._postgres_port),
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.system.key_file),
        }
        self.clients = LocalClients({**self.system.settings, **reached})
        self.postgres = self.connect()
        for statement in AUDIT.read_text().split(";\n\n"):
            self.postgres.run(statement)
        witness.subscribe(addresses["pubsub"])
        host = addresses["pubsub"].removeprefix("http://")
        self._publisher = PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(host)))

    def also(self, component: Component) -> None:
        """Something more that ends with the arena."""
        self._others.append(component)

    # -- people ------------------------------------------------------------------------------------------

    def connect(self) -> pg8000.native.Connection:
        """As the product's role, around the hops; what it changes is a person's doing."""
        return pg8000.native.Connection(
            USER,
            host=HOST,
            port=self._postgres_port,
            database=DATABASE,
            password=self.system.settings["POSTGRES_PASSWORD"],
            timeout=30,
            application_name="person",
        )

    def limit_connections(self, most: int) -> None:
        """How many connections the product's role may have; -1 takes the limit back."""
        settings = self.system.settings
        admin = pg8000.native.Connection(
            SUPERUSER, host=HOST, port=self._postgres_port, database=DATABASE, password=settings["POSTGRES_PASSWORD"]
        )
        admin.run(f"ALTER ROLE {USER} CONNECTION LIMIT {most}")
        admin.close()

    def sql(self, statement: str, **parameters: Any) -> list[Any]:
        """On a connection that may have been broken by a fault meanwhile."""
        try:
            return self.postgres.run(statement, **parameters) or []
        except (pg8000.native.InterfaceError, pg8000.native.DatabaseError, OSError):
            with contextlib.suppress(Exception):
                self.postgres.close()
            self.postgres = self.connect()
            return self.postgres.run(statement, **parameters) or []

    def add_config(self, name: str, seed: int, options: Mapping[str, Any] | None = None, **columns: Any) -> int:
        """A config with a spreadsheet and a table of its name."""
        self.modes[name] = (options or {}).get("load_mode", "replace")
        self.add_sheet(name, seed)
        row = {
            "name": name,
            "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{name}/edit",
            "google_cloud_project_id": PROJECT,
            "bigquery_dataset_id": DATASET,
            "bigquery_table_id": name,
            "options": json.dumps(options or {}),
            **columns,
        }
        names, values = ", ".join(row), ", ".join(f":{column}" for column in row)
        statement = f"INSERT INTO sheet_to_bigquery_configs ({names}) VALUES ({values}) RETURNING id"
        config_id = int(self.sql(statement, **row)[0][0])
        self.configs[config_id] = name
        return config_id

    def add_sheet(self, name: str, seed: int) -> None:
        """A spreadsheet in its first version."""
        self.sheets[name] = Sheet(self.folder / "samples", self.folder / "scratch", name, seed)
        self.sheets[name].write()

    def request(self, config_id: int) -> str:
        """Publish a request by hand; its message's id."""
        return self._publish(REQUESTS, json.dumps({"config_id": config_id}).encode(), config_id)

    def poison(self, data: bytes, topic: str = REQUESTS) -> str:
        """Publish what nobody can understand."""
        return self._publish(topic, data, None)

    def forge(self, completed: Mapping[str, Any]) -> None:
        """Publish what no execution said."""
        self._publisher.publish(
            topic=f"projects/{PROJECT}/topics/{COMPLETIONS}",
            messages=[{"data": json.dumps(completed).encode()}],
            timeout=30,
        )

    def _publish(self, topic: str, data: bytes, config_id: int | None) -> str:
        at = time.time()
        answer = self._publisher.publish(
            topic=f"projects/{PROJECT}/topics/{topic}", messages=[{"data": data}], timeout=30
        )
        self.requests.append(Request(str(answer.message_ids[0]), config_id, at))
        return str(answer.message_ids[0])

    # -- Google ------------------------------------------------------------------------------------------

    def call(self, path: str, body: bytes = b"") -> "Future[bytes | None]":
        """Cloud Scheduler's call of dispatch, through its hop and in the background; None where it failed."""
        url = f"http://{HOST}:{self.hops.ports['dispatch']}"

        def calling() -> bytes | None:
            try:
                return scheduler.call(url, path, self.system.key_file, body)
            except OSError:
                return None

        return self._callers.submit(calling)

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
                if f"FAILPOINTS={self.failpoints}".encode() in variables:
                    name = next((each for each in variables if each.startswith(b"CLOUD_RUN_EXECUTION=")), None)
                    if name:
                        found[name.partition(b"=")[2].decode()] = int(entry.name)
        return found

    def cancel(self, execution: str) -> None:
        """As a person does in the console."""
        job = f"projects/{PROJECT}/locations/us-central1/jobs/sheettobigquery-job"
        with contextlib.suppress(urllib.error.HTTPError):
            ask(f"{self.system.addresses['run']}/v2/{job}/executions/{execution}:cancel", {})

    def signal(self, name: str, number: signal.Signals) -> None:
        """To all of a component's processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.system.processes[name], number)

    def start(self, name: str) -> None:
        """Start a component again; one that dies of it, as gRPC's threads sometimes do, is started once more."""
        try:
            self.system.start(name)
        except ComponentFailed:
            self.system.start(name)

    # -- failpoints --------------------------------------------------------------------------------------

    def arm(self, name: str, action: str, told: str) -> None:
        """Once, whichever process comes there first; `told` is the fault, as it is counted."""
        self._told[f"{name} {action}"] = told
        scratch = self.folder / "scratch" / name
        scratch.write_text(action)
        scratch.replace(self.failpoints / name)

    def armed(self) -> list[Path]:
        """The failpoints to which nobody has come yet."""
        return [path for path in self.failpoints.iterdir() if ".taken." not in path.name]

    def disarm(self) -> None:
        for path in self.armed():
            path.unlink(missing_ok=True)

    def taken(self) -> Counter[str]:
        """How often each fault at a failpoint struck."""
        acted = ((path.name.partition(".taken.")[0], path.read_text()) for path in self.failpoints.glob("*.taken.*"))
        return Counter(self._told[f"{name} {action}"] for name, action in acted)

    # -- the end -----------------------------------------------------------------------------------------

    def heal(self) -> None:
        """No more faults; what was killed or stopped goes on."""
        self.hops.clear()
        self.disarm()
        for pid in self.executions().values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for name in ("dispatch", "launch", "complete", "postgres"):
            if name not in self.system.processes:
                self.start(name)
            self.signal(name, signal.SIGCONT)
        self.order("bigquery", load_seconds=0.0)

    def settle(self, seconds: float = 90) -> bool:
        """Dispatch and sweep until no run is open and no message waits; False where that does not come in time."""
        deadline = time.monotonic() + seconds
        # Twice in a row: between an execution's end and its entry in the log, nothing is to be seen of either.
        quiet = 0
        patience = time.monotonic() + SECONDS_FOR_MESSAGES
        while time.monotonic() < deadline and quiet < 2:
            for path in ("/run", "/sweep"):
                self.call(path).result()
            waits = self.open_runs() or self.executions()
            if waits:
                patience = time.monotonic() + SECONDS_FOR_MESSAGES
            elif time.monotonic() < patience:
                self._deliver_again()
                waits = self._unacked()
            quiet = 0 if waits else quiet + 1
            time.sleep(0.5)
        return quiet == 2

    def open_runs(self) -> list[str]:
        rows = self.sql("SELECT id FROM sheet_to_bigquery_runs WHERE ended_at IS NULL")
        return [str(run_id) for (run_id,) in rows]

    def converge(self, config_ids: Sequence[int]) -> list[str]:
        """Ask for one more run of these configs; afterwards each table has its sheet's rows. Tells which has not.

        Then they are paused, so that the next round is not slowed by them.
        """
        names = [self.configs[config_id] for config_id in config_ids]
        for config_id, name in zip(config_ids, names, strict=True):
            self.sheets[name].write()
            self.request(config_id)
        self.settle()
        self.sql("UPDATE sheet_to_bigquery_configs SET is_active = false WHERE id = ANY(:ids)", ids=list(config_ids))
        held = {name: self.table(name) or [] for name in names}
        return [name for name in names if any(row not in held[name] for row in self.sheets[name].newest.rows)]

    def table(self, name: str) -> list[dict[str, str]] | None:
        """A table's rows; None where there is none."""
        try:
            rows = self.clients.bigquery.query_and_wait(f"SELECT * FROM `{PROJECT}.{DATASET}.{name}`")
        except NotFound:
            return None
        return witness.texts([field.name for field in rows.schema], (row.values() for row in rows))

    def history(self) -> History:
        """Everything that happened since the arena was opened."""
        addresses = self.system.addresses
        destinations = {f"{PROJECT}.{DATASET}.{name}": name for name in self.sheets}
        tables = {table: self.table(name) for table, name in destinations.items()}
        messages = self.witness.messages(addresses["pubsub"])
        return History(
            changes=self.witness.changes(self.postgres),
            jobs=self.witness.jobs(addresses["bigquery"]),
            starts=list(self.witness.starts),
            messages=messages,
            requests=list(self.requests),
            heard=self.witness.heard(self.postgres),
            sheets=[version for sheet in self.sheets.values() for version in sheet.versions],
            tables={table: rows for table, rows in tables.items() if rows is not None},
            sources=destinations,
            modes={f"{PROJECT}.{DATASET}.{name}": mode for name, mode in self.modes.items()},
            texts=witness.logs(self.folder) | self._ledger_texts(),
            secrets=self._secrets(),
            max_running=int(self.limits["MAX_RUNNING"]),
            reads_per_minute=int(self.limits["SHEETS_READS_PER_MINUTE"]),
            max_attempts=int(self.limits["MAX_ATTEMPTS"]),
        )

    def _ledger_texts(self) -> dict[str, str]:
        """What the ledger says in words; its columns may name headers."""
        rows = self.sql("SELECT id, coalesce(error, '') || coalesce(warnings::text, '') FROM sheet_to_bigquery_runs")
        return {f"run {run_id}": text for run_id, text in rows if text}

    def _secrets(self) -> dict[str, str]:
        key = json.loads(self.system.key_file.read_text())["private_key"].splitlines()[1]
        password = self.system.settings["POSTGRES_PASSWORD"]
        tokens = dict.fromkeys(self.witness.tokens - {TOKEN}, "an access token")
        return {MARK: "a cell or a header", key: "the private key", password: "the database's password", **tokens}

    def _deliver_again(self) -> None:
        """What was refused, in the emulator's place: on a busy machine it lets minutes pass before it comes again."""
        for exchange in self.witness.refused():
            url = f"http://{HOST}:{self.hops.ports[exchange.hop.name]}{exchange.request.path}"
            content_type = {"Content-Type": exchange.request.headers["content-type"]}
            request = urllib.request.Request(url, data=exchange.request.body, headers=content_type)
            with contextlib.suppress(OSError):
                direct.open(request, timeout=60).close()

    def _unacked(self) -> list[str]:
        acked = self.witness.acked()
        published = self.witness.messages(self.system.addresses["pubsub"])
        return [each.message_id for each in published if each.message_id not in acked and not each.given_up]
