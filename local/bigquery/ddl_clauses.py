"""The clauses of CREATE TABLE, as the API's attributes: columns, OPTIONS, PARTITION BY, CLUSTER BY."""

from datetime import UTC, datetime
from typing import Any

from sqlglot import exp

from local.bigquery.errors import invalid_query, not_implemented
from local.bigquery.text_values import value_of_text

TYPE_NAMES = {
    "BIGINT": "INTEGER",
    "INT": "INTEGER",
    "TEXT": "STRING",
    "VARCHAR": "STRING",
    "DOUBLE": "FLOAT",
    "FLOAT": "FLOAT",
    "BOOLEAN": "BOOLEAN",
    "BINARY": "BYTES",
    "VARBINARY": "BYTES",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
    "DATE": "DATE",
    "TIME": "TIME",
    "DATETIME": "DATETIME",
    "TIMESTAMP": "DATETIME",
    "TIMESTAMPTZ": "TIMESTAMP",
    "JSON": "JSON",
    "GEOGRAPHY": "GEOGRAPHY",
    "INTERVAL": "INTERVAL",
}
OPTIONS = {
    "description": "description",
    "friendly_name": "friendlyName",
    "labels": "labels",
    "location": "location",
}
TRUNCATIONS = (exp.DateTrunc, exp.TimestampTrunc, exp.DatetimeTrunc)


def columns_of(tree: exp.Expr) -> list[dict[str, Any]]:
    """The declared columns as TableFieldSchema."""
    schema = tree if isinstance(tree, exp.Schema) else tree.this
    definitions = schema.expressions if isinstance(schema, exp.Schema) else []
    return [_column(definition) for definition in definitions if isinstance(definition, exp.ColumnDef)]


def _column(definition: exp.ColumnDef) -> dict[str, Any]:
    field = {"name": definition.name, **_type(definition.args["kind"])}
    for constraint in definition.args.get("constraints") or ():
        kind = constraint.args["kind"]
        if isinstance(kind, exp.NotNullColumnConstraint):
            field["mode"] = "REQUIRED"
        elif isinstance(kind, exp.Properties):
            field |= _options(kind)
        elif isinstance(kind, exp.DefaultColumnConstraint):
            field["defaultValueExpression"] = kind.this.sql(dialect="bigquery")
        else:
            raise not_implemented(f"A column with {type(kind).__name__}")
    return field


def _type(type_: exp.DataType) -> dict[str, Any]:
    name = type_.this.value
    if name == "ARRAY":
        return {**_type(type_.expressions[0]), "mode": "REPEATED"}
    if name == "STRUCT":
        return {"type": "RECORD", "fields": [_column(inner) for inner in type_.expressions]}
    if name not in TYPE_NAMES:
        raise invalid_query(f"Type not found: {type_.sql(dialect='bigquery')}")
    field: dict[str, Any] = {"type": TYPE_NAMES[name]}
    numbers = [parameter.name for parameter in type_.expressions]
    if numbers and field["type"] in ("NUMERIC", "BIGNUMERIC"):
        field |= dict(zip(("precision", "scale"), numbers, strict=False))
    elif numbers:
        field["maxLength"] = numbers[0]
    return field


def options_of(tree: exp.Expr) -> dict[str, Any]:
    """OPTIONS(…) of a table, view or dataset."""
    properties = tree.args.get("properties")
    return _options(properties) if properties else {}


def _options(properties: exp.Properties) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option in properties.find_all(exp.Property):
        if isinstance(option, exp.LocationProperty):
            found["location"] = option.this.name
        if type(option) is not exp.Property:
            continue
        name = option.name.lower()
        if name == "expiration_timestamp":
            instant: datetime = value_of_text(option.args["value"].this.name, "TIMESTAMP")
            found["expirationTime"] = str(int(instant.astimezone(UTC).timestamp() * 1000))
        elif name in OPTIONS:
            found[OPTIONS[name]] = _option_value(option.args["value"])
        else:
            raise not_implemented(f"The option {name}")
    return found


def _option_value(value: exp.Expr) -> Any:
    if isinstance(value, exp.Array):
        return {pair.expressions[0].name: pair.expressions[1].name for pair in value.expressions}
    return value.name


def partitioning_of(tree: exp.Expr) -> dict[str, Any]:
    """PARTITION BY and CLUSTER BY."""
    properties = tree.args.get("properties")
    found: dict[str, Any] = {}
    for option in properties.expressions if properties else ():
        if isinstance(option, exp.PartitionedByProperty):
            found["timePartitioning"] = _time_partitioning(option.this)
        elif isinstance(option, exp.ClusterProperty | exp.Cluster):
            found["clustering"] = {"fields": [column.name for column in option.expressions]}
    return found


def _time_partitioning(by: exp.Expr) -> dict[str, str]:
    """`d`, `DATE(ts)` and `TIMESTAMP_TRUNC(ts, MONTH)`, also of _PARTITIONDATE and _PARTITIONTIME."""
    type_ = str(by.args["unit"].name).upper() if isinstance(by, TRUNCATIONS) else "DAY"
    column = by.this if isinstance(by, (exp.Date, *TRUNCATIONS)) else by
    if not isinstance(column, exp.Column | exp.Identifier):
        raise not_implemented("PARTITION BY of anything but a time column")
    if column.name.upper().startswith("_PARTITION"):
        return {"type": type_}
    return {"type": type_, "field": column.name}
