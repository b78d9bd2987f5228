"""Sees all along what the tables hold, and gathers at the end what PostgreSQL, BigQuery and the older service kept."""

import re
import threading
import time
import urllib.error
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pg8000.native

from local.environment import PROJECT
from tests.faults.rest import ask
from tests.migration.history import Audited, Change, Edit, Edition, History, Rows, Sample, Served, Write, canonical

_SQL = Path(__file__).parent / "history.sql"
# Of the time, so much goes into looking: the machine is shared with what is looked at.
_SHARE = 0.08
_PAUSE = 1.0
_AUDIT = """
SELECT config_id, changed_by, before, after FROM sheet_to_bigquery_owner_changes WHERE config_id IS NOT NULL ORDER BY id
"""
_TAKEN = "SELECT message_id FROM sheet_to_bigquery_messages WHERE verdict <> 'poison' AND message_id LIKE 'portal/%'"


class Witness:
    """Looks at the tables from entering until leaving, in a thread of its own."""

    def __init__(self, bigquery: str, service_log: Path, postgres: pg8000.native.Connection) -> None:
        self._url = f"{bigquery}/bigquery/v2/projects/{PROJECT}"
        self._service_log = service_log
        self._postgres = postgres
        self._history = History()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._trouble: BaseException | None = None
        postgres.run(_SQL.read_text())

    def __enter__(self) -> "Witness":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def watch(self, config_id: int, table: str, shadow: str) -> None:
        """From now on this config's tables (`dataset.table`), too."""
        self._history.tables[config_id] = f"{PROJECT}.{table}"
        self._history.shadows[config_id] = f"{PROJECT}.{shadow}"

    def note_edition(self, config_id: int, began: float, rows: Iterable[Iterable[Any]]) -> None:
        """The config's sheet holds these rows; `began` is before that was so, and the former ones ended by now."""
        table, editions, now = self._history.tables[config_id], self._history.editions, time.time()
        for number, edition in enumerate(editions):
            if edition.table == table and edition.ended is None:
                editions[number] = Edition(table, edition.began, now, edition.rows)
        editions.append(Edition(table, began, None, _canonical(rows)))

    def note_edit(self, job_id: str, rows: Iterable[Iterable[Any]]) -> None:
        """Somebody's own statement, of this job, makes these rows of a table."""
        self._history.edits.append(Edit(job_id, _canonical(rows)))

    def note_published(self, message_id: str) -> None:
        self._history.published.append(message_id)

    def history(self) -> History:
        """All that happened, when everything is quiet; nothing is looked at any more."""
        self.__exit__()
        if self._trouble is not None:
            raise self._trouble
        history, postgres = self._history, self._postgres
        rows = postgres.run("SELECT seq, at, kind, state, transaction FROM migration_history ORDER BY seq")
        history.changes = [Change(seq, at.timestamp(), *what) for seq, at, *what in rows]
        history.audited = [Audited(*row) for row in postgres.run(_AUDIT)]
        history.recorded = [message_id for (message_id,) in postgres.run(_TAKEN)]
        history.served = [
            Served(f"portal/{message_id}", int(status))
            for message_id, status in re.findall(r" message (\S+) ended with (\d+)", self._service_log.read_text())
        ]
        jobs = ask(f"{self._url}/jobs?projection=full&maxResults=100000").get("jobs", ())
        history.writes = [write for job in jobs if (write := _write(job))]
        return history

    def _look_on(self) -> None:
        pause = _PAUSE
        try:
            while not self._over.wait(pause):
                history, began = self._history, time.monotonic()
                for table in (*history.tables.copy().values(), *history.shadows.copy().values()):
                    history.samples.append(self._sample(table))
                pause = max(_PAUSE, (time.monotonic() - began) / _SHARE)
        except BaseException as error:  # told by `history`
            self._trouble = error

    def _sample(self, table: str) -> Sample:
        _, dataset, name = table.split(".")
        asked = time.time()
        rows = self._rows(f"{self._url}/datasets/{dataset}/tables/{name}/data?maxResults=10000")
        return Sample(table, asked, time.time(), rows)

    def _rows(self, url: str) -> Rows | None:
        try:
            answer = ask(url)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        return [canonical([cell["v"] for cell in row["f"]]) for row in answer.get("rows", ())]


def _write(job: Mapping[str, Any]) -> Write | None:
    """The job as a write, if it is one: loads, and statements that change rows."""
    configuration, statistics = job["configuration"], job["statistics"]
    if job["status"]["state"] != "DONE" or job["status"].get("errorResult"):
        return None
    load, query = configuration.get("load"), configuration.get("query")
    is_write = load or (query and statistics.get("query", {}).get("statementType") not in (None, "SELECT"))
    table = (load or query or {}).get("destinationTable")
    if not is_write or not table:
        return None
    return Write(
        job_id=job["jobReference"]["jobId"],
        table=".".join((table["projectId"], table["datasetId"], table["tableId"])),
        began=int(statistics["startTime"]) / 1000,
        ended=int(statistics["endTime"]) / 1000,
        labels=configuration.get("labels") or {},
        rows=int(statistics["load"]["outputRows"]) if load else None,
    )


def _canonical(rows: Iterable[Iterable[Any]]) -> Rows:
    return [canonical(list(row)) for row in rows]
