"""BigQuery's types, and how Arrow (and so Parquet) and DuckDB hold them.

| BigQuery            | in the Parquet file  | in DuckDB |
|---|---|---|
| STRING, GEOGRAPHY   | string               | VARCHAR                                               |
| JSON                | string               | JSON                                                  |
| BYTES               | binary               | BLOB                                                  |
| INTEGER             | int64                | BIGINT                                                |
| FLOAT               | double               | DOUBLE                                                |
| BOOLEAN             | bool                 | BOOLEAN                                               |
| NUMERIC             | decimal128(38, 9)    | DECIMAL(38,9)                                         |
| BIGNUMERIC          | string (all digits)  | DECIMAL(38,18): a query fails on more than 20 digits before the point |
| DATE, TIME          | date32, time64[us]   | DATE, TIME                                            |
| DATETIME            | timestamp[us]        | TIMESTAMP                                             |
| TIMESTAMP           | timestamp[us, UTC]   | TIMESTAMP WITH TIME ZONE                              |
| INTERVAL            | string (canonical)   | INTERVAL                                              |
| RECORD              | struct               | STRUCT                                                |
| REPEATED anything   | list                 | LIST                                                  |
"""

import pyarrow as pa

from local.bigquery.schema import Column, Schema

ARROW: dict[str, pa.DataType] = {
    "STRING": pa.string(),
    "GEOGRAPHY": pa.string(),
    "JSON": pa.string(),
    "INTERVAL": pa.string(),
    "BYTES": pa.binary(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "NUMERIC": pa.decimal128(38, 9),
    "BIGNUMERIC": pa.string(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "DATETIME": pa.timestamp("us"),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
}
DUCKDB: dict[str, str] = {
    "STRING": "VARCHAR",
    "GEOGRAPHY": "VARCHAR",
    "JSON": "JSON",
    "INTERVAL": "INTERVAL",
    "BYTES": "BLOB",
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "NUMERIC": "DECIMAL(38,9)",
    "BIGNUMERIC": "DECIMAL(38,18)",
    "DATE": "DATE",
    "TIME": "TIME",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
}


def arrow_type(column: Column) -> pa.DataType:
    """The type of the column's values in its Parquet file."""
    if column.type == "RECORD":
        single: pa.DataType = pa.struct([pa.field(inner.name, arrow_type(inner)) for inner in column.fields])
    else:
        single = ARROW[column.type]
    return pa.list_(single) if column.mode == "REPEATED" else single


def arrow_schema(schema: Schema) -> pa.Schema:
    return pa.schema([pa.field(column.name, arrow_type(column)) for column in schema])


def duckdb_type(column: Column) -> str:
    if column.type == "RECORD":
        single = "STRUCT(" + ", ".join(f"{quoted(c.name)} {duckdb_type(c)}" for c in column.fields) + ")"
    else:
        single = DUCKDB[column.type]
    return f"{single}[]" if column.mode == "REPEATED" else single


def quoted(identifier: str) -> str:
    """An identifier for DuckDB."""
    return '"' + identifier.replace('"', '""') + '"'
