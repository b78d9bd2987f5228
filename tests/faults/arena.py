"""The whole system with hops between all its parts, people who use it, and a witness."""

import contextlib
import json
import time
import urllib.request
from collections.abc import Sequence

from google.api_core.exceptions import NotFound

from local.environment import PROJECT
from local.ports import HOST, direct
from tests.faults import witness
from tests.faults.checker.history import History
from tests.faults.listener import CHANNELS
from tests.faults.people import DATASET, People
from tests.faults.rest import TOKEN
from tests.faults.sheets import MARK

# After all runs have ended: the emulator comes again within seconds, mostly.
SECONDS_FOR_MESSAGES = 20


class Arena(People):
    """As a context manager it is ready when entered. What is here itself: waiting for the end, and what happened."""

    def __enter__(self) -> "Arena":
        try:
            self.begin()
            witness.subscribe(self.system.addresses["pubsub"])
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

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

    def tell(self, seconds: float = 60) -> None:
        """Tell people again and again, until everybody has heard."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.let_time_pass():
            self.call("/sweep").result()

    def let_time_pass(self) -> bool:
        """As if so much had passed that who did not listen is told again; whether there is anything to tell.

        Only when no sweep is at work: one that tells somebody at this moment is not to be overtaken.
        """
        self.wait_for_calls()
        waiting = "UPDATE sheet_to_bigquery_notices SET not_before = now() WHERE closed_at IS NULL RETURNING run_id"
        return bool(self.sql(waiting))

    def open_runs(self) -> list[str]:
        rows = self.sql("SELECT id FROM sheet_to_bigquery_runs WHERE ended_at IS NULL")
        return [str(run_id) for (run_id,) in rows]

    def converge(self, config_ids: Sequence[int]) -> list[str]:
        """Resume these configs and ask for one more run of each: each table has its sheet's rows then, or it is told.

        Then they are paused, so that the next round is not slowed by them.
        """
        names = [self.configs[config_id] for config_id in config_ids]
        self.resume(config_ids)
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
            texts=witness.logs(self.folder) | self._ledger_texts() | self._told_texts(),
            secrets=self._secrets(),
            channels=CHANNELS,
            told=list(self.listener.tellings),
            troubles=self._troubles(),
            pause_after=int(self.limits["PAUSE_AFTER_FAILURES"]),
            kept_days=int(self.limits["RUNS_KEPT_DAYS"]),
            max_running=int(self.limits["MAX_RUNNING"]),
            reads_per_minute=int(self.limits["SHEETS_READS_PER_MINUTE"]),
            max_attempts=int(self.limits["MAX_ATTEMPTS"]),
        )

    def _ledger_texts(self) -> dict[str, str]:
        """What the ledger says in words; its columns may name headers."""
        rows = self.sql("SELECT id, coalesce(error, '') || coalesce(warnings::text, '') FROM sheet_to_bigquery_runs")
        return {f"run {run_id}": text for run_id, text in rows if text}

    def _told_texts(self) -> dict[str, str]:
        return {f"notice {number}": text for number, text in enumerate(self.listener.texts)}

    def _troubles(self) -> list[tuple[float, float]]:
        struck = [*self.hops["postgres"].times, *self.failpoints.deaths()]
        return [*self.troubles, *((at - 0.1, at + 1) for at in struck)]

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
