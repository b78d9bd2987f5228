"""The file that a load uploads."""

import gzip
import tracemalloc

import msgspec

from job.loading.files import LoadFile, load_file
from shared.config import Column
from tests.unit.job.reading import read

ROWS = 20_000
WIDTH = 40


def wide_sheet_with_json() -> LoadFile:
    headers = [f"text {number}" for number in range(WIDTH)]
    rows = [[f"row {row} of the sheet"] * WIDTH + ['{"a": 1}'] for row in range(ROWS)]
    table = read([[*headers, "more"], *rows], Column("more", "JSON"), block_rows=ROWS).table
    tracemalloc.start()
    try:
        file = load_file(table, table.columns)
        assert tracemalloc.get_traced_memory()[1] < 64_000_000, "the sheet's cells are not objects all at once"
    finally:
        tracemalloc.stop()
    return file


def test_lines_of_json_are_compressed_and_written_a_few_rows_at_a_time() -> None:
    file = wide_sheet_with_json()
    assert file.source_format == "NEWLINE_DELIMITED_JSON"
    lines = gzip.decompress(file.content)
    assert file.content.size < len(lines) / 10, "memory holds the compressed rest"
    first, *_, last = map(msgspec.json.decode, lines.splitlines())
    assert (first["more"], first["text_0"]) == ({"a": 1}, "row 0 of the sheet")
    assert last["text_39"] == f"row {ROWS - 1} of the sheet"
