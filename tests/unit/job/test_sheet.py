"""A tab through the Sheets API, where the API does not answer as one would like."""

import functools
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from job.errors import QuotaExceeded, ReadTimedOut
from job.reading.calls import Calls
from job.reading.read import read_table
from job.reading.refusals import Subject
from job.reading.sheet import BLOCK_BYTES, BLOCK_CELLS, FIRST_BLOCK_CELLS, SMALLEST_BLOCK, SheetReader
from job.reading.tab import Tab
from tests.unit.job.faulty_server import FaultyServer, body, error, faulty_server
from tests.unit.job.reading import config

TAB = Tab(gid=0, title="It's 数量", rows=1001, columns=3, locale="en_US", time_zone="Etc/GMT")
RANGE_OF_A = re.compile(r"A(\d+):A(\d+)")
RANGE = re.compile(r"'It''s 数量'!A(\d+):C(\d+)")


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as running:
        yield running


def reader(server: FaultyServer, **changes: str) -> SheetReader:
    calls = Calls(Subject("config", "sync@example.com"), 1000, sleep=lambda _: None)
    asked = msgspec.structs.replace(config(), **changes)
    return SheetReader(calls, server.service("sheets", "v4"), server.service("drive", "v3"), asked)


def serve_at_most(rows: int):
    """One line of every row's number, as text where cells are asked for as shown; a time-out for more rows."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        asked = [RANGE.fullmatch(each) for each in query["ranges"]]
        cell = str if query["valueRenderOption"] == ["FORMATTED_VALUE"] else int
        spans = [range(int(each[1]), int(each[2]) + 1) for each in asked if each]
        if sum(map(len, spans)) > rows + 1:
            error(504)(handler)
        else:
            ranges = [{"values": [list(map(cell, span))]} for span in spans]
            body(json.dumps({"valueRanges": ranges}).encode())(handler)

    return answer


def test_a_block_that_takes_too_long_is_asked_for_in_halves_and_no_row_is_lost(server: FaultyServer) -> None:
    """In the wild: Google gives up a read after 180 seconds."""
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


def test_rows_as_shown_are_asked_for_in_halves_too(server: FaultyServer) -> None:
    server.answers = [serve_at_most(300)]
    blocks = list(reader(server).shown(TAB))
    firsts = [first for first, _ in blocks]
    assert firsts[0] == 1
    assert sum(len(lines[0]) for _, lines in blocks) == TAB.rows
    assert firsts == [int(lines[0][0]) for _, lines in blocks]


def test_a_read_that_is_limited_in_the_middle_fails_and_gives_no_part_of_the_tab(server: FaultyServer) -> None:
    """In the wild: a rate-limited sync ends "successful" with rows missing."""
    version = body(b'{"version": "1", "mimeType": "application/vnd.google-apps.spreadsheet"}')
    grid = {"title": "Sheet1", "gridProperties": {"rowCount": 500_000, "columnCount": 20}}
    tab = body(json.dumps({"sheets": [{"properties": grid}]}).encode())
    block = body(b'{"valueRanges": [{"values": [["a"]]}, {"values": [["x", "y"]]}]}')
    server.answers = [version, tab, block, error(429)]
    with pytest.raises(QuotaExceeded) as failure:
        read_table(reader(server), config(), "config")
    assert failure.value.retryable


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (b', "modifiedTime": "2026-05-04T12:00:00.123Z"', datetime(2026, 5, 4, 12, 0, 0, 123_000, tzinfo=UTC)),
        (b"", None),
    ],
)
def test_when_the_file_was_edited_last_comes_with_its_version(
    told: bytes, known: datetime | None, server: FaultyServer
) -> None:
    server.answers = [body(b'{"version": "7", "mimeType": "application/vnd.google-apps.spreadsheet"%s}' % told)]
    reading = reader(server)
    assert (reading.version(), reading.modified_at) == ("7", known)


@pytest.mark.parametrize(
    ("tabs", "name", "chosen"),
    [
        (["Q4 ", "Q3"], "Q4", "Q4 "),
        (["Q4 ", "Q4"], "Q4", "Q4"),
        (["\u00a0Q4\u00a0"], "Q4", "\u00a0Q4\u00a0"),
        (["q4", "Q4 "], "Q4", "Q4 "),
    ],
)
def test_blanks_at_a_tabs_ends_do_not_hide_it(server: FaultyServer, tabs: list[str], name: str, chosen: str) -> None:
    """In the wild: the tab's name has a blank at its end that nobody sees, and a config's own are cut off."""
    sheets = [{"properties": {"sheetId": number, "title": title}} for number, title in enumerate(tabs)]
    server.answers = [body(json.dumps({"sheets": sheets}).encode())]
    found = reader(server, google_sheet_tab_name=name).tab()
    assert (found.title, found.renamed) == (chosen, False)


def test_a_column_of_nothing_but_errors_costs_a_request_for_every_fifty_thousand_cells(server: FaultyServer) -> None:
    """Of each range that is asked for, every second cell is in error; the others are text."""
    asked: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        assert query["fields"] == ["sheets.data(startRow,startColumn,rowData.values.effectiveValue.errorValue.type)"]
        ranges = [re.fullmatch(r"'It''s 数量'!([A-C])(\d+):\1(\d+)", each) for each in query["ranges"]]
        asked.append(sum(int(each[3]) - int(each[2]) + 1 for each in ranges))
        cells = ({"effectiveValue": {"errorValue": {"type": "N_A"}}}, {"effectiveValue": {}})
        data = [
            {
                "startRow": int(each[2]) - 1,
                "startColumn": ord(each[1]) - ord("A"),
                "rowData": [{"values": [cells[row % 2]]} for row in range(int(each[2]), int(each[3]) + 1)],
            }
            for each in ranges
        ]
        body(json.dumps({"sheets": [{"data": data}]}).encode())(handler)

    server.answers = [answer]
    found = reader(server).errors(TAB, 2, {0: range(100_000), 2: [5, 90_001]})
    assert found == {0: set(range(2, 100_002, 2)), 2: set()}
    assert sum(asked) == 100_002
    assert len(asked) == 3


def test_columns_that_the_answer_leaves_out_are_empty(server: FaultyServer) -> None:
    server.answers = [body(json.dumps({"valueRanges": [{"values": [[1]]}]}).encode())]
    columns = reader(server).columns(TAB, 2, 3, [0, 2], moments_only=True)
    assert {index: bytes(raw) for index, raw in columns.items()} == {0: b"[1]", 2: b"[]"}


@pytest.mark.parametrize("title", ["Sheet1", "数量" * 50])
@pytest.mark.parametrize("wanted", [range(0, 900, 3), [*range(300), *range(600, 900, 2)], [5], range(900)])
def test_columns_far_apart_take_one_request_whose_address_everyone_takes(
    server: FaultyServer, title: str, wanted: Sequence[int]
) -> None:
    """In the wild: half of a wide tab's columns are numbers, and the quota is 60 requests a minute."""
    addresses: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        addresses.append(handler.path)
        asked = parse_qs(urlsplit(handler.path).query)["ranges"]
        spans = [re.fullmatch(r".*!([A-Z]+)10000:([A-Z]+)12345", each) for each in asked]
        ranges = [{"values": [[i] for i in range(index(span[1]), index(span[2]) + 1)]} for span in spans if span]
        body(json.dumps({"valueRanges": ranges}).encode())(handler)

    server.answers = [answer]
    tab = msgspec.structs.replace(TAB, title=title, columns=900)
    columns = reader(server).columns(tab, 10_000, 12_345, wanted, moments_only=True)
    assert {number: json.loads(bytes(raw)) for number, raw in columns.items()} == {
        number: [number] for number in wanted
    }
    assert len(addresses) == 1
    assert len(addresses[0]) < 2048


def index(letters: str) -> int:
    """A column's index from 0, from its letters."""
    return functools.reduce(lambda number, letter: 26 * number + ord(letter) - 64, letters, 0) - 1


@pytest.mark.parametrize(("length", "most"), [(1, BLOCK_CELLS), (200, 100_000)])
def test_blocks_are_as_large_as_memory_and_quota_have_room_for(server: FaultyServer, length: int, most: int) -> None:
    """In the wild: a column of long comments. 16 MB of them are 80,000; a block of the most cells would be 100 MB."""
    asked: list[range] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        found = re.search(r"A(\d+):A(\d+)", parse_qs(urlsplit(handler.path).query)["ranges"][-1])
        span = range(int(found[1]), int(found[2]) + 1) if found else range(0)
        asked.append(span)
        body(b'{"valueRanges":[{"values":[["' + b'","'.join([b"x" * length] * len(span)) + b'"]]}]}')(handler)

    server.answers = [answer]
    tab = msgspec.structs.replace(TAB, columns=1, rows=1_000_000)
    taken = [first for first, _ in reader(server).shown(tab)]
    assert taken == [span.start for span in asked]
    assert [row for span in asked for row in span] == list(range(1, 1_000_001))
    assert len(asked[0]) == FIRST_BLOCK_CELLS
    assert most * 0.7 < max(len(span) for span in asked[1:]) <= most


def test_a_block_of_far_longer_cells_than_those_above_it_is_asked_for_again_in_parts(server: FaultyServer) -> None:
    """In the wild: a column of long comments, which begins half-way down."""
    sizes: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        first, last = map(int, RANGE_OF_A.findall(parse_qs(urlsplit(handler.path).query)["ranges"][-1])[0])
        cells = [b"x" * (1 if row <= FIRST_BLOCK_CELLS else 1000) for row in range(first, last + 1)]
        sizes.append(sum(map(len, cells)))
        body(b'{"valueRanges":[{"values":[["' + b'","'.join(cells) + b'"]]}]}')(handler)

    server.answers = [answer]
    tab = msgspec.structs.replace(TAB, columns=1, rows=FIRST_BLOCK_CELLS + 70_000)
    taken = [(first, len(lines[0])) for first, lines in reader(server).shown(tab)]
    assert [size > 4 * BLOCK_BYTES for size in sizes] == [False, True, *[False] * 5]
    assert taken[0] == (1, FIRST_BLOCK_CELLS)
    assert [first for first, _ in taken[1:]] == [sum(rows for _, rows in taken[:n]) + 1 for n in range(1, len(taken))]
    assert sum(rows for _, rows in taken) == FIRST_BLOCK_CELLS + 70_000
