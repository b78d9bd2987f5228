"""TO_JSON_STRING in DuckDB's SQL, by the value's type.

https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_encodings
"""

import json
from dataclasses import replace

from local.bigquery.errors import not_implemented
from local.bigquery.schema import Column

# Integers beyond this are strings in JSON: a double would not hold all of their digits.
_EXACT_IN_A_DOUBLE = 2**53
_AS_DUCKDB_WRITES_THEM = ("STRING", "GEOGRAPHY", "BOOLEAN", "DATE", "JSON")
_SQL = {
    "INTEGER": "CASE WHEN {x} BETWEEN -{most} AND {most} THEN CAST({x} AS VARCHAR)"
    " ELSE '\"' || CAST({x} AS VARCHAR) || '\"' END",
    "FLOAT": "CASE WHEN isnan({x}) THEN '\"NaN\"' WHEN isinf({x}) THEN CASE WHEN {x} > 0 THEN '\"Infinity\"'"
    " ELSE '\"-Infinity\"' END ELSE regexp_replace(CAST({x} AS VARCHAR), '\\.0$', '') END",
    # Exact as text; a number only where a double has the same digits, as the reference says.
    "NUMERIC": "CASE WHEN {x} = trunc({x}) AND {x} BETWEEN -{most} AND {most} THEN CAST(trunc({x})::HUGEINT AS VARCHAR)"
    " WHEN regexp_replace(regexp_replace(CAST({x} AS VARCHAR), '0+$', ''), '\\.$', '') = "
    "CAST(CAST({x} AS DOUBLE) AS VARCHAR) THEN CAST(CAST({x} AS DOUBLE) AS VARCHAR)"
    " ELSE '\"' || regexp_replace(regexp_replace(CAST({x} AS VARCHAR), '0+$', ''), '\\.$', '') || '\"' END",
    "BYTES": "'\"' || base64({x}) || '\"'",
    "TIME": "'\"' || {x_seconds} || '\"'",
    "DATETIME": "'\"' || replace({x_seconds}, ' ', 'T') || '\"'",
    "TIMESTAMP": "'\"' || replace(regexp_replace(CAST({x} AS VARCHAR), '\\+00$', ''), ' ', 'T') || 'Z\"'",
}
_SQL["BIGNUMERIC"] = _SQL["NUMERIC"]


def json_text(value: str, column: Column) -> str:
    """DuckDB's SQL for the JSON text of `value`, an expression of the column's type; NULL is `null`."""
    if column.mode == "REPEATED":
        each = json_text("e", replace(column, mode="NULLABLE"))
        text = f"'[' || array_to_string(list_transform({value}, lambda e: {each}), ',') || ']'"
    elif column.type == "RECORD":
        fields = (f"'{_key(inner.name)}:', {json_text(_field(value, inner.name), inner)}" for inner in column.fields)
        # No chain of ||: DuckDB nests expressions a thousand deep at most, and a table has ten thousand columns.
        text = "concat('{', " + ", ',', ".join(fields) + ", '}')"
    elif column.type in _AS_DUCKDB_WRITES_THEM:
        text = f"CAST(json_quote({value}) AS VARCHAR)"
    elif column.type in _SQL:
        text = _SQL[column.type].format(x=value, x_seconds=f"CAST({value} AS VARCHAR)", most=_EXACT_IN_A_DOUBLE)
    else:
        raise not_implemented(f"TO_JSON_STRING of {column.type}")
    return f"CASE WHEN {value} IS NULL THEN 'null' ELSE {text} END"


def _field(value: str, name: str) -> str:
    return f"struct_extract({value}, '{name.replace(chr(39), chr(39) * 2)}')"


def _key(name: str) -> str:
    """The name in JSON's quotes, inside a literal of SQL."""
    return json.dumps(name, ensure_ascii=False).replace("'", "''")
