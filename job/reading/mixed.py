"""Columns that no type holds together, as the sheet shows them: read once all blocks are known."""

from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from job.columns.infer import shown_text
from job.columns.table import Block
from job.columns.values import decode
from job.reading.sheet import BLOCK_BYTES, SheetReader
from job.reading.tab import Tab


class MixedColumns:
    """Some columns of a tab, block by block from top to bottom.

    As they are few of the tab's, one request has them for several blocks: as many cells as a block has altogether,
    unless they are so long that memory would not have room for them. `errors_of` gives the positions of a column's
    error cells from a first row to a last one: what the sheet shows does not tell them from text.
    """

    def __init__(
        self,
        reader: SheetReader,
        tab: Tab,
        columns: Sequence[int],
        last_row: int,
        errors_of: Callable[[int, int, int], Sequence[int]],
    ) -> None:
        self._reader = reader
        self._tab = tab
        self._columns = columns
        self._last_row = last_row
        self._errors_of = errors_of
        self._read = range(0)
        self._rows_with_room = 0
        self._shown: Mapping[int, pa.StringArray] = {}

    def of(self, block: Block) -> Mapping[int, pa.StringArray]:
        """All rows of the block: NULL where the sheet shows nothing, or an error."""
        last = block.first_row + block.rows - 1
        if block.first_row not in self._read or last not in self._read:
            self._take(block)
        start = block.first_row - self._read.start
        return {index: shown.slice(start, block.rows) for index, shown in self._shown.items()}

    def _take(self, block: Block) -> None:
        blocks = min(self._tab.width // len(self._columns), self._rows_with_room // block.rows)
        last = min(block.first_row + block.rows * max(1, blocks) - 1, self._last_row)
        self._read = range(block.first_row, last + 1)
        raws = self._reader.columns(self._tab, block.first_row, last, self._columns, moments_only=False)
        texts = {index: bytes(raw) for index, raw in raws.items()}
        self._rows_with_room = len(self._read) * BLOCK_BYTES // sum(map(len, texts.values()))
        self._shown = {
            index: shown_text(decode(text, self._errors_of(index, block.first_row, last)), len(self._read))
            for index, text in texts.items()
        }
