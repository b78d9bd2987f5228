"""Keeps what happened: what the hops saw, and, at the end, what PostgreSQL, BigQuery and Pub/Sub kept."""

import base64
import io
import itertools
import json
import re
import threading
from collections.abc import Iterable, Mapping
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pg8000.native
import pyarrow.parquet as pq

from local.environment import PROJECT
from local.functions import NAMES
from local.pubsub import COMPLETIONS, DEAD_LETTERS, REQUESTS
from tests.faults.checker.history import Change, Heard, Job, Message, Rows, Start
from tests.faults.hops.http import Exchange
from tests.faults.rest import ask

# What the function behind each push hop takes from.
TOPICS = {"launch": REQUESTS, "complete": COMPLETIONS}
WITNESSED = "witness-of-"
# https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/pull
MOST_PULLED = 1000
# The emulator takes a broken connection for silence, and waits for this long.
SECONDS_TO_ACK = 10
# As deployed it grows to ten minutes, longer than a round.
BACKOFF = {"minimumBackoff": "1s", "maximumBackoff": "2s"}


class Witness:
    """Told of every exchange by the hops' thread."""

    def __init__(self) -> None:
        self.starts: list[Start] = []
        self.tokens: set[str] = set()
        # Each read of the Sheets API: when it came, and the status of its answer.
        self.reads: list[tuple[float, int]] = []
        self._acked: set[str] = set()
        # The delivery that was refused last, of each message that nobody has taken.
        self._refused: dict[str, Exchange] = {}
        self._swallowed: set[str] = set()
        self._uploads: dict[str, Rows] = {}
        self._published: dict[str, Message] = {}
        self._given_up: set[bytes] = set()
        self._calls = itertools.count()
        self._lock = threading.Lock()

    def observe(self, exchange: Exchange) -> None:
        with self._lock:
            authorization = exchange.request.headers.get("authorization", "")
            if authorization.lower().startswith("bearer "):
                self.tokens.add(authorization[7:])
            if exchange.hop.name in TOPICS:
                self._observe_delivery(exchange)
            elif exchange.hop.name == "run" and ":run" in exchange.request.path:
                self._observe_start(exchange)
            elif exchange.hop.name == "sheets" and exchange.request.path.startswith("/v4/"):
                self.reads += [(exchange.began, answer.status) for answer in exchange.answers]
            elif exchange.hop.name == "bigquery" and "uploadType=multipart" in exchange.request.path:
                self._observe_upload(exchange)

    def acked(self) -> set[str]:
        with self._lock:
            return self._acked | self._swallowed

    def refused(self) -> list[Exchange]:
        """Of each message that nobody has taken and that was refused the last time that it came: that delivery."""
        with self._lock:
            taken = self._acked | self._swallowed
            return [exchange for message_id, exchange in self._refused.items() if message_id not in taken]

    def _observe_delivery(self, exchange: Exchange) -> None:
        try:
            message_id = str(json.loads(exchange.request.body)["message"]["messageId"])
        except (ValueError, KeyError, TypeError):
            return  # not Pub/Sub's, but somebody's who posts to the function
        self._refused.pop(message_id, None)
        if exchange.answers and all(answer.status >= 300 for answer in exchange.answers):
            self._refused[message_id] = exchange
        if exchange.answered is None or exchange.answered.status >= 300:
            return
        done = any(answer.status < 300 for answer in exchange.answers)
        (self._acked if done else self._swallowed).add(message_id)

    def _observe_start(self, exchange: Exchange) -> None:
        container = json.loads(exchange.request.body)["overrides"]["containerOverrides"][0]
        variables = {each["name"]: each.get("value", "") for each in container["env"]}
        if "RUN_ID" not in variables:
            return
        call = next(self._calls)
        for answer in exchange.answers:
            name = json.loads(answer.body)["metadata"]["name"] if answer.status == 200 else None
            attempt = int(variables["RUN_ATTEMPT"])
            self.starts.append(Start(exchange.began, variables["RUN_ID"], attempt, answer.status, call, name))

    def _observe_upload(self, exchange: Exchange) -> None:
        if not any(answer.status == 200 for answer in exchange.answers):
            return
        head = f"content-type: {exchange.request.headers['content-type']}\r\n\r\n".encode()
        metadata, data = BytesParser().parsebytes(head + exchange.request.body).get_payload()
        job = json.loads(metadata.get_payload(decode=True))
        if job["configuration"]["load"]["sourceFormat"] == "PARQUET":
            rows = _parquet_rows(data.get_payload(decode=True))
            self._uploads[job["jobReference"]["jobId"]] = rows

    # -- at the end --------------------------------------------------------------------------------------

    def changes(self, postgres: pg8000.native.Connection) -> list[Change]:
        rows = postgres.run("SELECT seq, at, kind, changed_by, state, transaction FROM fault_history ORDER BY seq")
        return [Change(seq, at.timestamp(), *what) for seq, at, *what in rows]

    def heard(self, postgres: pg8000.native.Connection) -> list[Heard]:
        rows = postgres.run(
            "SELECT message_id, verdict, reason, run_id::text, received_at FROM sheet_to_bigquery_messages"
        )
        return [Heard(*what, at.timestamp()) for *what, at in rows]

    def jobs(self, bigquery: str) -> list[Job]:
        found = ask(f"{bigquery}/bigquery/v2/projects/{PROJECT}/jobs?projection=full&maxResults=100000")
        with self._lock:
            return [_job(resource, self._uploads) for resource in found.get("jobs", ())]

    def messages(self, pubsub: str) -> list[Message]:
        """Every message that was published, and what became of it."""
        for topic in (REQUESTS, COMPLETIONS):
            for message_id, data in _pulled(pubsub, f"{WITNESSED}{topic}"):
                self._published[message_id] = Message(topic, message_id, data)
        self._given_up |= {data for _, data in _pulled(pubsub, DEAD_LETTERS)}
        with self._lock:
            return [
                Message(
                    each.topic,
                    each.message_id,
                    each.data,
                    acked=each.message_id in self._acked,
                    nacked=each.message_id in self._refused,
                    swallowed=each.message_id in self._swallowed,
                    given_up=each.data in self._given_up,
                )
                for each in self._published.values()
            ]


def subscribe(pubsub: str) -> None:
    """From now on, everything that is published is also kept for the witness, and nacked messages come back soon."""
    for topic in (REQUESTS, COMPLETIONS):
        name = f"projects/{PROJECT}/subscriptions/{WITNESSED}{topic}"
        ask(f"{pubsub}/v1/{name}", {"topic": f"projects/{PROJECT}/topics/{topic}", "ackDeadlineSeconds": 600}, "PUT")
        pushed = f"projects/{PROJECT}/subscriptions/{topic}"
        changed = {
            "subscription": {"name": pushed, "retryPolicy": BACKOFF, "ackDeadlineSeconds": SECONDS_TO_ACK},
            "updateMask": "retryPolicy,ackDeadlineSeconds",
        }
        ask(f"{pubsub}/v1/{pushed}", changed, "PATCH")


def _pulled(pubsub: str, subscription: str) -> list[tuple[str, bytes]]:
    url = f"{pubsub}/v1/projects/{PROJECT}/subscriptions/{subscription}"
    found: list[tuple[str, bytes]] = []
    while received := ask(f"{url}:pull", {"maxMessages": MOST_PULLED, "returnImmediately": True}).get(
        "receivedMessages"
    ):
        for each in received:
            message = each["message"]
            found.append((message["messageId"], base64.b64decode(message.get("data", ""))))
        ask(f"{url}:acknowledge", {"ackIds": [each["ackId"] for each in received]})
    return found


def _job(resource: Mapping[str, Any], uploads: Mapping[str, Rows]) -> Job:
    configuration, statistics = resource["configuration"], resource["statistics"]
    reference, error = resource["jobReference"], resource["status"].get("errorResult")
    table = (configuration.get("load") or {}).get("destinationTable")
    ended = statistics.get("endTime") if resource["status"]["state"] == "DONE" else None
    return Job(
        job_id=reference["jobId"],
        location=reference["location"],
        type=configuration["jobType"],
        labels=configuration.get("labels") or {},
        created=int(statistics["creationTime"]) / 1000,
        ended=int(ended) / 1000 if ended else None,
        error=error["reason"] if error else None,
        table=".".join((table["projectId"], table["datasetId"], table["tableId"])) if table else None,
        rows=int((statistics.get("load") or {}).get("outputRows", 0)),
        # A MERGE's rows are those of its staging table.
        content=uploads.get(reference["jobId"], uploads.get(f"{reference['jobId']}_staging")),
    )


def texts(names: Iterable[str], rows: Iterable[Iterable[Any]]) -> list[dict[str, str]]:
    """Rows as the judge compares them; of a header or a column's name its last word is enough."""
    short = [re.split(r"[ _]", name)[-1].lower() for name in names]
    return [{name: str(cell) for name, cell in zip(short, row, strict=True) if cell is not None} for row in rows]


def _parquet_rows(data: bytes) -> list[dict[str, str]]:
    table = pq.read_table(io.BytesIO(data))
    columns = [column.to_pylist() for column in table.columns]
    return texts(table.column_names, zip(*columns, strict=True))


def logs(folder: Path) -> dict[str, str | Path]:
    """The product's logs: the functions', and the executions'."""
    functions = [path for name in NAMES for path in (folder / "logs").glob(f"{name}*.log")]
    return {str(path.relative_to(folder)): path for path in (*functions, *(folder / "run" / "logs").glob("*.log"))}
