"""Texts that are longer than a custom schema allows. Pure."""

import pyarrow as pa
import pyarrow.compute as pc

from shared.column import Column


def too_long(texts: pa.StringArray, asked: Column) -> list[tuple[int, str]]:
    """The positions of texts of more characters than `asked` has room for, each with the reason.

    A character is a Unicode code point, as in STRING(L)
    (cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_string_type).
    """
    lengths = pc.utf8_length(texts)
    positions = pc.indices_nonzero(pc.greater(lengths, asked.max_length))
    return [
        (position, f"{length} characters where {asked.sql_type} is expected")
        for position, length in zip(positions.to_pylist(), lengths.take(positions).to_pylist(), strict=True)
    ]
