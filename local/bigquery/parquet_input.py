"""Reading an uploaded Parquet file as BigQuery does: columns by name, types by the file's own.

Which type goes into which: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from local.bigquery.errors import invalid, not_implemented
from local.bigquery.schema import Column, Schema, by_name
from local.bigquery.types import arrow_type
from local.bigquery.values import fitted, reading_failed

ROWS_PER_BATCH = 65_536
# No Parquet load reaches these, whatever the file holds (measured by others on the service).
TYPES_OUT_OF_REACH = ("JSON", "INTERVAL")
CPP_TYPE = {"INTEGER": "INT64", "FLOAT": "DOUBLE", "BOOLEAN": "BOOL", "STRING": "STRING", "BYTES": "STRING"}


class ParquetInput:
    """One uploaded file. Raises invalid if it is no Parquet file."""

    def __init__(self, path: Path, *, decimal_targets: Sequence[str], infer_lists: bool) -> None:
        try:
            self._file = pq.ParquetFile(path)
        except pa.ArrowInvalid as error:
            raise reading_failed("The file is not a valid Parquet file") from error
        self._decimal_targets = decimal_targets or ("NUMERIC",)
        self._infer_lists = infer_lists
        self._fields = list(self._file.schema_arrow)

    def schema(self) -> Schema:
        """The columns as the file itself describes them."""
        return tuple(self._column(field) for field in self._fields)

    def _column(self, field: pa.Field) -> Column:
        mode = "NULLABLE" if field.nullable else "REQUIRED"
        type_ = field.type
        if _is_list(type_):
            self._check_lists()
            mode, type_ = "REPEATED", type_.value_type
        inner = tuple(self._column(f) for f in type_) if pa.types.is_struct(type_) else ()
        return Column.from_api(
            {
                "name": field.name,
                "type": self._targets(type_, field.name)[0],
                "mode": mode,
                "fields": [column.to_api() for column in inner],
            }
        )

    def _check_lists(self) -> None:
        if not self._infer_lists:
            raise not_implemented("A Parquet LIST without parquetOptions.enableListInference")

    def _targets(self, type_: pa.DataType, name: str) -> tuple[str, ...]:
        """The column types that values of this type may be loaded into, the default first."""
        if pa.types.is_dictionary(type_):
            type_ = type_.value_type
        if pa.types.is_decimal(type_):
            return _decimal_targets(type_, self._decimal_targets)
        if pa.types.is_timestamp(type_):
            return ("TIMESTAMP",) if type_.tz else ("DATETIME", "TIMESTAMP")
        for is_type, targets in TARGETS:
            if is_type(type_):
                return targets
        raise reading_failed(f"Unsupported type of Parquet column '{name}'", name)

    def check_against(self, offered: Schema, *, ignore_unknown: bool) -> None:
        """Raises invalid where the file does not fit the schema that the job or the table gives."""
        columns = by_name(offered)
        for field in self._fields:
            column = columns.get(field.name.lower())
            if column is None:
                if not ignore_unknown:
                    raise reading_failed(f"Parquet column '{field.name}' is not in the table's schema", field.name)
                continue
            self._check_field(field, column)
        present = {field.name.lower() for field in self._fields}
        for column in offered:
            if column.mode == "REQUIRED" and column.name.lower() not in present:
                raise reading_failed(f"Required column '{column.name}' is missing in the Parquet file", column.name)

    def _check_field(self, field: pa.Field, column: Column) -> None:
        type_ = field.type
        if _is_list(type_):
            self._check_lists()
            type_ = type_.value_type
        if _is_list(field.type) != (column.mode == "REPEATED") or column.type not in self._targets(type_, field.name):
            raise reading_failed(
                f"Parquet column '{field.name}' has type {self._physical_type(field.name)} which does not match "
                f"the target cpp_type {CPP_TYPE.get(column.type, column.type)}",
                field.name,
            )
        if not field.nullable and column.mode == "NULLABLE":
            raise invalid(
                f"Provided schema is not compatible with the file. Field '{field.name}' is specified as NULLABLE "
                "in provided schema which does not match REQUIRED as specified in the file.",
                field.name,
            )

    def _physical_type(self, name: str) -> str:
        leaves = (self._file.schema.column(i) for i in range(len(self._file.schema)))
        return next((leaf.physical_type for leaf in leaves if leaf.path.split(".")[0] == name), "GROUP")

    def batches(self, schema: Schema) -> Iterator[pa.RecordBatch]:
        """The rows in the order and types of `schema`; a column that the file lacks is NULL."""
        positions = {field.name.lower(): position for position, field in enumerate(self._fields)}
        names = [column.name for column in schema]
        for batch in self._file.iter_batches(ROWS_PER_BATCH, use_threads=False):
            arrays = []
            for column in schema:
                position = positions.get(column.name.lower())
                nothing = position is None
                arrays.append(
                    pa.nulls(batch.num_rows, arrow_type(column))
                    if nothing
                    else fitted(_exact(_plain(batch.column(position)), column), column)
                )
            yield pa.RecordBatch.from_arrays(arrays, names=names)


def _exact(values: pa.Array, column: Column) -> pa.Array:
    """Raises invalid where a decimal has more digits behind the point than the column: a Parquet load rounds none.

    https://github.com/GoogleCloudDataproc/spark-bigquery-connector/issues/432
    """
    if pa.types.is_decimal(values.type) and column.type in ("NUMERIC", "BIGNUMERIC"):
        scale = {"NUMERIC": 9, "BIGNUMERIC": 38}[column.type] if column.precision is None else column.scale or 0
        if pc.any(pc.not_equal(values, pc.round(values, ndigits=scale))).as_py():
            raise reading_failed(
                f"The value for column '{column.name}' is out of valid {column.type} range: Value will lose precision "
                f"after scaling down to {column.type} type",
                column.name,
            )
    return values


def _plain(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _is_list(type_: pa.DataType) -> bool:
    return pa.types.is_list(type_) or pa.types.is_large_list(type_)


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _is_bytes(type_: pa.DataType) -> bool:
    return pa.types.is_binary(type_) or pa.types.is_large_binary(type_) or pa.types.is_fixed_size_binary(type_)


def _decimal_targets(type_: pa.DataType, allowed: Sequence[str]) -> tuple[str, ...]:
    """The reference of decimalTargetTypes: the first of NUMERIC, BIGNUMERIC, STRING that can hold it, or the widest.

    A job's explicit schema may name any of them; whether a value fits is found out as it is read.
    """
    integer_digits = type_.precision - type_.scale
    holds = {
        "NUMERIC": type_.scale <= 9 and integer_digits <= 29,
        "BIGNUMERIC": type_.scale <= 38 and integer_digits <= 38,
        "STRING": True,
    }
    order = [target for target in holds if target in allowed]
    default = next((target for target in order if holds[target]), order[-1])
    return (default, *(target for target in holds if target != default))


TARGETS = (
    (pa.types.is_boolean, ("BOOLEAN",)),
    (pa.types.is_integer, ("INTEGER",)),
    # A column of nothing but NULL is written as INT32.
    (pa.types.is_null, ("INTEGER",)),
    (pa.types.is_floating, ("FLOAT",)),
    (_is_text, ("STRING", "BYTES", "GEOGRAPHY")),
    (_is_bytes, ("BYTES", "STRING")),
    (pa.types.is_date, ("DATE",)),
    (pa.types.is_time, ("TIME",)),
    (pa.types.is_struct, ("RECORD",)),
)
