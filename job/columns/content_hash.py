"""A hash of what a table holds: equal for equal tables, however they were cut into blocks and files. Pure.

It takes each value from Arrow's memory, whose layout is a standard (arrow.apache.org/docs/format/Columnar.html), so
that no version of a library makes another hash of the same table.
"""

import hashlib
import struct
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

# Of another number, where what is hashed changes: a hash of before is nobody's then.
_EDITION = b"1"


class ColumnHash:
    """A column's values from top to bottom, as arrays of one type. NULLs may come in arrays of any type.

    Three streams that say all: which rows have a value, the values end to end, and how long each is.
    """

    def __init__(self) -> None:
        # Of the fast ones, the one whose text fits a BigQuery label of 63 characters.
        self._filled, self._values, self._lengths = (hashlib.sha224() for _ in range(3))

    def add(self, array: pa.Array) -> None:
        """Takes the next rows."""
        self._filled.update(_bytes_of(array.is_valid().cast(pa.uint8())))
        values = array.drop_null() if array.null_count else array
        if not len(values):
            return
        if pa.types.is_string(values.type) or pa.types.is_binary(values.type):
            self._lengths.update(_bytes_of(pc.binary_length(values)))
            self._values.update(_text_of(values))
        else:
            self._values.update(_bytes_of(values.cast(pa.uint8()) if pa.types.is_boolean(values.type) else values))

    def digest(self) -> bytes:
        return b"".join(each.digest() for each in (self._filled, self._values, self._lengths))


def content_hash(columns: Iterable[tuple[str, str, str, ColumnHash]]) -> str:
    """The hash of a table with these columns (name, type, mode, values) in this order: 56 hexadecimal digits."""
    whole = hashlib.sha224(_EDITION)
    for *described, values in columns:
        for text in described:
            encoded = text.encode()
            whole.update(struct.pack("<q", len(encoded)))
            whole.update(encoded)
        whole.update(values.digest())
    return whole.hexdigest()


def _bytes_of(array: pa.Array) -> memoryview:
    """The values of an array of numbers, moments or decimals that has no NULL."""
    width = array.type.bit_width // 8
    start = array.offset * width
    return memoryview(array.buffers()[1])[start : start + len(array) * width]


def _text_of(array: pa.Array) -> memoryview:
    """The values of an array of texts or bytes that has no NULL, end to end."""
    _, offsets, data = array.buffers()
    start, *_ = struct.unpack_from("=i", offsets, 4 * array.offset)
    end, *_ = struct.unpack_from("=i", offsets, 4 * (array.offset + len(array)))
    return memoryview(data)[start:end] if data is not None else memoryview(b"")
