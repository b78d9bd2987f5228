"""The guide's two metrics count what executions really printed: each success once, each failure once, nothing else."""

import contextlib
import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import run_v2
from google.oauth2 import service_account
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.clients import CLOUD_PLATFORM
from local.environment import PROJECT
from local.pubsub import COMPLETIONS
from shared.executions import Executions
from shared.settings import read_settings
from tests.e2e.conftest import DATASET, Team
from tests.metrics.guide import FAILURE, JOB, SUCCESS
from tests.metrics.log_entries import entries_of
from tests.metrics.logging_filter import parse_filter

ROWS = [["id"], [1], [2]]


class Counted:
    """What the two metrics make of the lines that one execution printed."""

    def __init__(self, team: Team, execution: str) -> None:
        name = execution.rpartition("/")[2]
        self.lines = (team.system.folder / "run" / "logs" / f"{name}.log").read_text().splitlines()
        entries = entries_of(self.lines, JOB)
        self.successes, self.failures = (sum(map(parse_filter(text), entries)) for text in (SUCCESS, FAILURE))

    @property
    def plain(self) -> list[str]:
        """The lines that are no JSON objects."""
        return [line for line in self.lines if not line.startswith("{")]


class Hands:
    """Somebody who starts executions directly, and looks at them."""

    def __init__(self, team: Team) -> None:
        settings = team.system.settings
        key_file = settings["GOOGLE_APPLICATION_CREDENTIALS"]
        options: dict[str, Any] = {
            "transport": "rest",
            "credentials": service_account.Credentials.from_service_account_file(key_file, scopes=[CLOUD_PLATFORM]),
            "client_options": {"api_endpoint": settings["RUN_API_ENDPOINT"]},
        }
        self.executions = Executions(
            run_v2.JobsClient(**options), run_v2.ExecutionsClient(**options), read_settings(settings).job
        )

    def start(self, name: str) -> str:
        variables = {
            "CONFIG_NAME": name,
            "GOOGLE_SHEET_URL": f"https://docs.google.com/spreadsheets/d/{name}/edit",
            "GOOGLE_CLOUD_PROJECT_ID": PROJECT,
            "BIGQUERY_DATASET_ID": DATASET,
            "BIGQUERY_TABLE_ID": name,
            "SCHEMA_HANDLING": "auto_detect",
        }
        return self.executions.start(variables, timeout_seconds=300)

    def wait(self, execution: str) -> None:
        deadline = time.monotonic() + 60
        while not ((seen := self.executions.look(execution)) and seen.ended):
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def process(self, execution: str) -> int:
        """The process of an execution that has begun to run Python."""
        mark = f"CLOUD_RUN_EXECUTION={execution.rpartition('/')[2]}".encode()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for entry in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        return int(entry.name)
            time.sleep(0.02)
        pytest.fail("the execution never began")


@pytest.fixture
def hands(team: Team) -> Hands:
    return Hands(team)


def run(team: Team, config_id: int) -> Counted:
    """One more run of a config."""
    before = len(team.runs(config_id))
    team.publish({"config_id": config_id})
    return Counted(team, str(team.wait_for_runs(config_id, count=before + 1)[-1].execution))


@pytest.mark.parametrize(
    ("options", "later", "told"),
    [
        ({}, [*ROWS, [3]], "3 rows into"),
        ({"skip_unchanged": True}, ROWS, "2 rows are unchanged in"),
        ({"on_empty": "keep"}, ROWS[:1], "no rows in the sheet, nothing changed in"),
    ],
)
def test_every_way_to_succeed_is_one_success(options: dict[str, Any], later: list, told: str, team: Team) -> None:
    name = team.unique("counted")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, run_frequency_hours=0, options=json.dumps(options))
    first = run(team, config_id)
    team.write_sheet(name, later)
    second = run(team, config_id)
    assert [(each.successes, each.failures) for each in (first, second)] == [(1, 0), (1, 0)]
    assert second.plain == [f"Job completed successfully: {told} {PROJECT}.{DATASET}.{name}"]


def test_a_failure_for_good_is_one_failure(team: Team) -> None:
    name = team.unique("emptied")
    team.write_sheet(name, ROWS[:1])
    counted = run(team, team.add_config(name, run_frequency_hours=0))
    assert (counted.successes, counted.failures) == (0, 1)
    [line] = counted.plain
    assert line.startswith("Job execution failed: EmptySheet: ")


def test_a_failure_that_may_pass_is_one_failure(team: Team, hands: Hands) -> None:
    """A spreadsheet that somebody edits all the time; so long that no reading lies between two edits."""
    name = team.unique("edited")
    path = team.write_sheet(name, [["id", "text"], *([number, "x" * 50] for number in range(10_000))])
    with edited_all_the_time(path):
        execution = hands.start(name)
        hands.wait(execution)
    counted = Counted(team, execution)
    assert (counted.successes, counted.failures) == (0, 1), counted.lines
    [line] = counted.plain
    assert line.startswith("Job execution failed: UnstableSheet: ")


@contextlib.contextmanager
def edited_all_the_time(path: Path) -> Iterator[None]:
    ended = threading.Event()

    def edit() -> None:
        while not ended.wait(0.005):
            # A new time is an edit to the server. Copying the file, on a busy machine, took longer than reading it.
            path.touch()

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        yield
    finally:
        ended.set()
        editor.join()


@pytest.mark.parametrize("end", ["kill -9", "cancel"])
def test_an_execution_that_is_ended_says_nothing_and_cloud_runs_own_entry_is_the_failure(
    end: str, team: Team, hands: Hands, ends: "Ends"
) -> None:
    name = team.unique("ended")
    team.write_sheet(name, [["id", "text"], *([number, "x" * 50] for number in range(20_000))])
    execution = hands.start(name)
    if end == "cancel":
        hands.process(execution)
        hands.executions.cancel(execution)
    else:
        os.kill(hands.process(execution), signal.SIGKILL)
    hands.wait(execution)
    counted = Counted(team, execution)
    assert (counted.successes, counted.failures, counted.plain) == (0, 0, [])
    entry = ends.of(execution)
    assert (parse_filter(SUCCESS)(entry), parse_filter(FAILURE)(entry)) == (False, True)


class Ends:
    """Cloud Logging's entries of ended executions, as its sink publishes them."""

    def __init__(self, host: str) -> None:
        channel = grpc.insecure_channel(host)
        self._subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        name = f"projects/{PROJECT}/subscriptions/ends-{uuid.uuid4().hex[:12]}"
        topic = f"projects/{PROJECT}/topics/{COMPLETIONS}"
        self.subscription = self._subscriber.create_subscription(name=name, topic=topic).name

    def of(self, execution: str) -> dict[str, Any]:
        name = execution.rpartition("/")[2]
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(DeadlineExceeded):
                answer = self._subscriber.pull(subscription=self.subscription, max_messages=100, timeout=5)
                for each in answer.received_messages:
                    entry = json.loads(each.message.data)
                    if entry.get("protoPayload", {}).get("resourceName", "").endswith(f"/{name}"):
                        return dict(entry)
        pytest.fail(f"no entry tells of the end of {name}")

    def close(self) -> None:
        self._subscriber.delete_subscription(subscription=self.subscription)


@pytest.fixture
def ends(team: Team) -> Iterator[Ends]:
    listening = Ends(team.system.settings["PUBSUB_EMULATOR_HOST"])
    yield listening
    listening.close()
