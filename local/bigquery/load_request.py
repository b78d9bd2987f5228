"""A load job's configuration, checked when the job is inserted."""

from dataclasses import dataclass
from typing import Any, Self

from local.bigquery.errors import invalid, not_implemented
from local.bigquery.names import TableName
from local.bigquery.parquet_input import TYPES_OUT_OF_REACH
from local.bigquery.partitioning import check_clustering, check_partitioning
from local.bigquery.schema import Schema, check_storable, schema_from_api

FORMATS = ("PARQUET", "CSV", "NEWLINE_DELIMITED_JSON")
WRITE_DISPOSITIONS = ("WRITE_APPEND", "WRITE_EMPTY", "WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA")
CREATE_DISPOSITIONS = ("CREATE_IF_NEEDED", "CREATE_NEVER")
SCHEMA_UPDATES = ("ALLOW_FIELD_ADDITION", "ALLOW_FIELD_RELAXATION")


@dataclass(frozen=True)
class LoadRequest:
    """What a load job is asked to do; `options` is the configuration itself, for what only its format needs."""

    destination: TableName
    format: str
    schema: Schema | None
    write: str
    may_create: bool
    may_add: bool
    may_relax: bool
    options: dict[str, Any]

    @classmethod
    def from_api(cls, load: dict[str, Any], project: str) -> Self:
        """Raises invalid (or notImplemented) on what BigQuery refuses at submission."""
        destination = TableName.from_api(load.get("destinationTable") or {}, project)
        if load.get("sourceUris"):
            raise not_implemented("A load from Cloud Storage (sourceUris)")
        format_ = one_of(load, "sourceFormat", "CSV", FORMATS)
        write = one_of(load, "writeDisposition", "WRITE_APPEND", WRITE_DISPOSITIONS)
        create = one_of(load, "createDisposition", "CREATE_IF_NEEDED", CREATE_DISPOSITIONS)
        schema = schema_from_api(load["schema"]) if "schema" in load else None
        if schema is not None and not schema:
            raise invalid("Empty schema specified for the load job. Please specify a schema that describes the data.")
        if load.get("autodetect") and schema is None and format_ != "PARQUET":
            raise not_implemented(f"autodetect of {format_}")
        if format_ == "PARQUET":
            check_parquet_reaches(schema or ())
        check_storable(schema or ())
        if load.get("timePartitioning"):
            check_partitioning(load["timePartitioning"], schema)
        check_clustering(load.get("clustering"), schema)
        return cls(
            destination,
            format_,
            schema,
            write,
            create == "CREATE_IF_NEEDED",
            *_schema_updates(load, write, destination),
            load,
        )

    @property
    def replaces_schema(self) -> bool:
        """WRITE_TRUNCATE of a whole table: its schema becomes the job's."""
        return self.write == "WRITE_TRUNCATE" and not self.destination.partition


def one_of(configuration: dict[str, Any], key: str, default: str, allowed: tuple[str, ...]) -> str:
    value = configuration.get(key) or default
    if value not in allowed:
        raise invalid(f"Invalid value for {key}: {value} is not a valid value; use one of {', '.join(allowed)}")
    return str(value)


def check_parquet_reaches(schema: Schema) -> None:
    for column in schema:
        if column.type in TYPES_OUT_OF_REACH:
            raise invalid(f"Unsupported field type: {column.type}")
        check_parquet_reaches(column.fields)


def _schema_updates(load: dict[str, Any], write: str, destination: TableName) -> tuple[bool, bool]:
    options = load.get("schemaUpdateOptions") or []
    for option in options:
        if option not in SCHEMA_UPDATES:
            raise invalid(f"Invalid value for schemaUpdateOptions: {option} is not a valid value")
    allowed = write in ("WRITE_APPEND", "WRITE_TRUNCATE_DATA") or (write == "WRITE_TRUNCATE" and destination.partition)
    if options and not allowed:
        raise invalid(
            "Schema update options should only be specified with WRITE_APPEND disposition, or with "
            "WRITE_TRUNCATE disposition on a table partition."
        )
    return "ALLOW_FIELD_ADDITION" in options, "ALLOW_FIELD_RELAXATION" in options
