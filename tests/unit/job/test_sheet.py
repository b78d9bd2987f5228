"""A tab through the Sheets API, where the API does not answer as one would like."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest

from job.errors import ReadTimedOut
from job.reading.calls import Calls
from job.reading.refusals import Subject
from job.reading.sheet import SMALLEST_BLOCK, SheetReader, Tab
from tests.unit.job.faulty_server import FaultyServer, body, error, faulty_server
from tests.unit.job.reading import config

TAB = Tab(gid=0, title="It's 数量", rows=1001, columns=3, locale="en_US", time_zone="Etc/GMT")
RANGE = re.compile(r"'It''s 数量'!A(\d+):C(\d+)")


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as running:
        yield running


def reader(server: FaultyServer) -> SheetReader:
    calls = Calls(Subject("config", "sync@example.com"), 1000, sleep=lambda _: None)
    return SheetReader(calls, server.service("sheets", "v4"), server.service("drive", "v3"), config())


def serve_at_most(rows: int):
    """Every row's number, as long as no more rows are asked for at once; else a time-out."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = [RANGE.fullmatch(each) for each in parse_qs(urlsplit(handler.path).query)["ranges"]]
        spans = [range(int(each[1]), int(each[2]) + 1) for each in asked if each]
        if sum(map(len, spans)) > rows + 1:
            error(504)(handler)
        else:
            ranges = [{"values": [list(span)]} for span in spans]
            body(json.dumps({"valueRanges": ranges}).encode())(handler)

    return answer


def test_a_block_that_takes_too_long_is_asked_for_in_halves_and_no_row_is_lost(server: FaultyServer) -> None:
    server.answers = [serve_at_most(300)]
    blocks = list(reader(server).blocks(TAB))
    rows = [row for _, _, columns in blocks for row in json.loads(bytes(columns[0]))]
    assert rows == list(range(2, 1002))
    assert [json.loads(bytes(header[0])) for _, header, _ in blocks if header] == [[1]]
    assert [first for first, _, _ in blocks] == sorted({first for first, _, _ in blocks})


def test_a_block_is_not_halved_for_ever(server: FaultyServer) -> None:
    server.answers = [error(504)]
    with pytest.raises(ReadTimedOut):
        list(reader(server).blocks(TAB))
    # 1000, 500, 250, 125 and 62 rows, each tried twice.
    assert SMALLEST_BLOCK == 100
    assert server.seen == 10


def test_columns_that_the_answer_leaves_out_are_empty(server: FaultyServer) -> None:
    server.answers = [body(json.dumps({"valueRanges": [{"values": [[1]]}]}).encode())]
    columns = reader(server).columns(TAB, 2, 3, [0, 2], moments_only=True)
    assert {index: bytes(raw) for index, raw in columns.items()} == {0: b"[1]", 2: b"[]"}
