"""Requests to a server that fails in the ways that Google's, its proxies and networks do."""

import gzip
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from job.errors import (
    ApiDisabled,
    NotAGoogleSheet,
    QuotaExceeded,
    ReadRefused,
    ReadTimedOut,
    SheetNotFound,
    SheetNotShared,
    SheetsUnavailable,
)
from job.reading.calls import Calls
from job.reading.refusals import Subject
from shared.errors import PermissionMissing, SyncError
from tests.unit.job.faulty_server import Answer, FaultyServer, body, error, faulty_server, reset

SUBJECT = Subject('config 7 "sales"', "sync@example.iam.gserviceaccount.com")


class Spreadsheet(msgspec.Struct):
    title: str


GOOD = body(b'{"title": "it"}')
CUT = body(b'{"title": "i', Content_Length="40")
CUT_JSON = body(b'{"title": "i')
CUT_GZIP = body(gzip.compress(b'{"title": "it"}')[:-15], Content_Encoding="gzip")
PAGE = body(b"<html>Sorry</html>", Content_Type="text/html")


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as running:
        yield running


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def calls(clock: Clock) -> Calls:
    return Calls(SUBJECT, reads_per_minute=1000, clock=lambda: clock.now, sleep=clock.sleep)


def request(server: FaultyServer, timeout: float = 5) -> Any:
    made = server.service("sheets", "v4").spreadsheets().get(spreadsheetId="it")
    made.http.http.timeout = timeout
    return made


@pytest.mark.parametrize(
    "fault",
    [
        error(429, "rateLimitExceeded"),
        error(403, "userRateLimitExceeded"),
        error(500),
        error(502),
        error(503),
        reset,
        CUT,
        CUT_JSON,
        CUT_GZIP,
        PAGE,
    ],
    ids=["429", "rate 403", "500", "502", "503", "reset", "cut", "cut JSON", "cut gzip", "page"],
)
def test_what_passes_is_waited_out(server: FaultyServer, calls: Calls, clock: Clock, fault: Answer) -> None:
    """In the wild: 429s, 5xx, resets and bodies cut off lose rows."""
    server.answers = [fault, fault, GOOD]
    assert calls.send(request(server), Spreadsheet) == Spreadsheet("it")
    assert calls.count == 3
    assert len(clock.slept) == 2


@pytest.mark.parametrize(("fault", "reads"), [(error(429), 1), (error(503), 2)])
def test_a_read_that_the_quota_refused_is_none_of_its_reads(
    server: FaultyServer, calls: Calls, fault: Answer, reads: int
) -> None:
    """Else the config's next run would reserve more than it needs."""
    server.answers = [fault, GOOD]
    calls.send(request(server), Spreadsheet)
    calls.send(request(server), Spreadsheet, paced=False)
    assert (calls.count, calls.reads) == (3, reads)


@pytest.mark.parametrize(
    ("fault", "kind"), [(error(429), QuotaExceeded), (error(500), SheetsUnavailable), (CUT_JSON, SheetsUnavailable)]
)
def test_what_does_not_pass_fails_within_the_budget_and_can_be_tried_again(
    server: FaultyServer, calls: Calls, clock: Clock, fault: Answer, kind: type[SyncError]
) -> None:
    """In the wild: a rate-limited sync ends "successful" with rows missing."""
    server.answers = [fault]
    with pytest.raises(kind) as failure:
        calls.send(request(server), Spreadsheet)
    assert failure.value.retryable
    assert sum(clock.slept) <= 200
    # The quota's minute has come round meanwhile.
    assert sum(clock.slept) > 120


def test_waits_grow_and_are_jittered(server: FaultyServer, calls: Calls, clock: Clock) -> None:
    server.answers = [error(503)] * 6 + [GOOD]
    calls.send(request(server), Spreadsheet)
    for number, pause in enumerate(clock.slept):
        assert 0.5 * 2**number <= pause <= 1.5 * 2**number
    assert len({pause / 2**number for number, pause in enumerate(clock.slept)}) == 6


@pytest.mark.parametrize(
    ("fault", "kind", "remedy"),
    [
        (error(403, "forbidden", "PERMISSION_DENIED"), SheetNotShared, "with sync@example.iam.gserviceaccount.com as"),
        (error(404, "notFound", "NOT_FOUND"), SheetNotFound, "correct google_sheet_url"),
        (error(400, "failedPrecondition", "FAILED_PRECONDITION"), NotAGoogleSheet, "Save as Google Sheets"),
        (error(403, "accessNotConfigured", "PERMISSION_DENIED"), ApiDisabled, "gcloud services enable"),
        (error(403, "insufficientPermissions", "PERMISSION_DENIED"), PermissionMissing, "login --scopes=https://"),
        (error(401, "authError", "UNAUTHENTICATED"), PermissionMissing, "credentials"),
        (error(400, "badRequest", "INVALID_ARGUMENT"), ReadRefused, "report it"),
    ],
)
def test_a_refusal_is_not_tried_again_and_says_what_to_do(
    server: FaultyServer, calls: Calls, fault: Answer, kind: type[SyncError], remedy: str
) -> None:
    """In the wild: an .xlsx in Drive, a sheet not shared, deleted, or an API disabled all look the same."""
    server.answers = [fault]
    with pytest.raises(kind) as failure:
        calls.send(request(server), Spreadsheet)
    assert type(failure.value) is kind
    assert server.seen == 1
    assert remedy in str(failure.value)
    assert str(failure.value).startswith('config 7 "sales": ')
    assert "4711" not in str(failure.value)
    assert not failure.value.retryable


def test_a_time_out_is_tried_once_more_and_then_told_as_one(server: FaultyServer, calls: Calls) -> None:
    stop = threading.Event()
    server.answers = [lambda _: stop.wait(5) and None]
    try:
        with pytest.raises(ReadTimedOut):
            calls.send(request(server, timeout=0.2), Spreadsheet)
    finally:
        stop.set()
    assert calls.count == 2


def test_a_proxys_time_out_is_one_too(server: FaultyServer, calls: Calls) -> None:
    server.answers = [error(504)]
    with pytest.raises(ReadTimedOut):
        calls.send(request(server), Spreadsheet)


def test_reads_keep_the_pace_and_drives_calls_do_not_count(server: FaultyServer, clock: Clock) -> None:
    """In the wild: a service account is one user, and has 60 reads a minute."""
    calls = Calls(SUBJECT, reads_per_minute=3, clock=lambda: clock.now, sleep=clock.sleep)
    server.answers = [GOOD]
    for _ in range(3):
        calls.send(request(server), Spreadsheet)
        clock.now += 1
    calls.send(request(server), Spreadsheet, paced=False)
    assert clock.slept == []
    calls.send(request(server), Spreadsheet)
    assert clock.slept == [57.0]
    assert calls.count == 5
