"""Columns' default values: what BigQuery takes as one, and its SQL for DuckDB.

A literal or one of a few functions, of a type that goes into the column
(https://cloud.google.com/bigquery/docs/default-values). DML writes it where a row says nothing of the column, or
`DEFAULT`; a load job leaves such a column NULL (https://github.com/googleapis/python-bigquery/issues/1495).
"""

from collections.abc import Iterable

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local.bigquery.ddl_clauses import TYPE_NAMES
from local.bigquery.errors import BigQueryError, invalid, not_implemented
from local.bigquery.schema import Column
from local.bigquery.translate import to_duckdb

# What each expression gives; a literal's text may also become a date or a time.
TYPES_OF: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.CurrentDate: ("DATE", "DATETIME"),
    exp.CurrentDatetime: ("DATETIME",),
    exp.CurrentTime: ("TIME",),
    exp.CurrentTimestamp: ("TIMESTAMP",),
    exp.Uuid: ("STRING",),
    exp.Rand: ("FLOAT",),
    exp.Boolean: ("BOOLEAN",),
    exp.ByteString: ("BYTES",),
    exp.ParseJSON: ("JSON",),
}
OF_TEXT = ("STRING", "DATE", "TIME", "DATETIME", "TIMESTAMP")
OF_WHOLE_NUMBERS = ("INTEGER", "FLOAT", "NUMERIC", "BIGNUMERIC")
OF_NUMBERS = OF_WHOLE_NUMBERS[1:]
WIDER = {"DATE": ("DATE", "DATETIME"), "NUMERIC": ("NUMERIC", "BIGNUMERIC"), "INTEGER": OF_WHOLE_NUMBERS}
NOT_HERE = ("ST_GEOGPOINT", "SESSION_USER")


def check_defaults(schema: Iterable[Column]) -> None:
    """Raises invalid for a default that BigQuery would refuse, notImplemented for one that is not known here."""
    for column in schema:
        default_sql(column)


def default_sql(column: Column) -> str | None:
    """The column's default as DuckDB's SQL; None where it has none."""
    text = column.default
    if text is None:
        return None
    tree = _parsed(column, text)
    if column.mode == "REPEATED" or column.type == "RECORD" or tree.name.upper() in NOT_HERE or _is_user(tree):
        raise not_implemented(f"The default value of {column.name}")
    if isinstance(tree, exp.Null):
        if column.mode == "REQUIRED":
            raise _refused(column, "a REQUIRED column's default is not NULL")
        return "NULL"
    types = _types(tree, text)
    if not types:
        raise _refused(column, "it is neither a literal nor one of the functions that are allowed")
    if column.type not in types:
        raise _refused(column, f"a {column.type} cannot hold it")
    if column.max_length is not None and len(tree.name) > column.max_length:
        raise _refused(column, f"it is longer than {column.max_length}")
    return to_duckdb(tree)


def _parsed(column: Column, text: str) -> exp.Expr:
    try:
        return sqlglot.parse_one(text, read="bigquery")
    except SqlglotError as error:
        raise _refused(column, "it is no expression") from error


def _is_user(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.SessionUser)


def _types(tree: exp.Expr, text: str) -> tuple[str, ...]:
    """The column types that the expression goes into; none if it is not allowed as a default."""
    if isinstance(tree, exp.Neg):
        tree = tree.this
        return _types(tree, text) if isinstance(tree, exp.Literal) and not tree.is_string else ()
    if isinstance(tree, exp.Literal):
        return OF_TEXT if tree.is_string else OF_WHOLE_NUMBERS if tree.is_int else OF_NUMBERS
    if isinstance(tree, exp.Cast):
        # DATE '2024-01-01' is a literal; CAST(… AS DATE), of which sqlglot makes the same, is none.
        literal = isinstance(tree.this, exp.Literal) and not text.lstrip().upper().startswith(("CAST", "SAFE_CAST"))
        name = TYPE_NAMES.get(tree.to.this.value, "")
        return WIDER.get(name, (name,)) if literal else ()
    if isinstance(tree, exp.CurrentDate | exp.CurrentTime | exp.CurrentDatetime) and tree.this is not None:
        return ()
    return TYPES_OF.get(type(tree), ())


def _refused(column: Column, why: str) -> BigQueryError:
    return invalid(f"Invalid default value expression for column {column.name}: {why}", column.name)
