"""GoogleSQL into DuckDB's SQL: tables by their BigQuery names, parameters, and what the dialects say differently."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local.bigquery.errors import invalid, invalid_query, not_implemented
from local.bigquery.names import TableName
from local.bigquery.query_request import QueryRequest
from local.bigquery.schema import Column
from local.bigquery.types import duckdb_type

INFORMATION_SCHEMA = "INFORMATION_SCHEMA."


def parse(sql: str) -> exp.Expr:
    """The one statement of a query. Raises invalidQuery on a syntax error."""
    try:
        statements = [tree for tree in sqlglot.parse(sql, read="bigquery") if tree is not None]
    except SqlglotError as error:
        raise invalid_query(f"Syntax error: {_first_line(error)}") from error
    if not statements:
        raise invalid_query("Syntax error: Unexpected end of statement")
    if len(statements) > 1 or isinstance(statements[0], exp.Command):
        raise not_implemented("A script or procedural statement")
    if isinstance(statements[0], exp.Condition):
        raise invalid_query("Syntax error: a statement is expected")
    if statements[0].find(exp.Version):
        raise not_implemented("FOR SYSTEM_TIME AS OF")
    return statements[0]


def _first_line(error: Exception) -> str:
    return re.sub(r"\x1b\[\d+m", "", str(error)).splitlines()[0]


def referenced_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """The table nodes that name stored tables: neither a WITH's name nor a correlated array."""
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and not _is_local(table):
            yield table


def _is_local(table: exp.Table) -> bool:
    names = set()
    for ancestor in _ancestors(table):
        with_ = ancestor.args.get("with_")
        if with_ is not None:
            names |= {cte.alias.lower() for cte in with_.expressions}
    return not table.db and table.name.lower() in names


def _ancestors(node: exp.Expr) -> Iterator[exp.Expr]:
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def table_name(node: exp.Table, request: QueryRequest) -> TableName:
    """The table that a node names. Raises invalid if it lacks a dataset and the query has no default one."""
    parts = [part.name for part in node.parts]
    if len(parts) == 1:
        if request.default_dataset is None:
            raise invalid(f'Table "{parts[0]}" must be qualified with a dataset (e.g. dataset.table).', node.name)
        return TableName(*request.default_dataset, parts[0])
    if len(parts) == 2:
        return TableName(request.project, *parts)
    return TableName(".".join(parts[:-2]), parts[-2], parts[-1])


def point_at(node: exp.Table, relation: str) -> None:
    """Let the node read the DuckDB relation, under the name by which the rest of the query knows it."""
    alias = node.args.get("alias")
    name = node.name.removeprefix(INFORMATION_SCHEMA) if INFORMATION_SCHEMA in node.name else node.name
    kept = alias if alias is not None and "." not in alias.name else exp.TableAlias(this=exp.to_identifier(name, True))
    node.set("this", exp.to_identifier(relation, quoted=True))
    node.set("db", None)
    node.set("catalog", None)
    node.set("alias", kept)


def bind_parameters(tree: exp.Expr, request: QueryRequest, columns: dict[str, Column]) -> None:
    """Replace `@name` and `?` by DuckDB's parameters, cast to the types that the request declares.

    `columns` holds the parameters' types by the name they have in DuckDB: the query's own, or p0, p1, …
    """
    position = 0
    nodes = [node for node in tree.walk() if isinstance(node, exp.Parameter | exp.Placeholder)]
    for node in nodes:
        if isinstance(node, exp.Parameter):
            name = node.name.lower()
        else:
            name, position = f"p{position}", position + 1
        if name not in columns:
            raise invalid_query(f"Query parameter '{node.name or position}' not found")
        placeholder = exp.Placeholder(this=name)
        node.replace(exp.cast(placeholder, exp.DataType.build(duckdb_type(columns[name]), dialect="duckdb")))


def name_outputs(tree: exp.Expr) -> None:
    """BigQuery names the columns that a query leaves nameless f0_, f1_, …"""
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    nameless = 0
    for projection in list(tree.expressions) if isinstance(tree, exp.Select) else ():
        if isinstance(projection, exp.Dot) and not projection.is_star:
            projection.replace(exp.alias_(projection.copy(), projection.name, quoted=True))
        elif not isinstance(projection, exp.Alias | exp.Column) and not projection.is_star:
            projection.replace(exp.alias_(projection.copy(), f"f{nameless}_"))
            nameless += 1


def to_duckdb(tree: exp.Expr) -> str:
    """DuckDB's SQL. Raises notImplemented for what has no counterpart."""
    try:
        rewritten = tree.transform(_rewritten)
        for division in list(rewritten.find_all(exp.Div)):
            division.set("expression", _not_zero(division.expression))
        return rewritten.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
    except SqlglotError as error:
        raise not_implemented(_first_line(error)) from error


def _not_zero(divisor: exp.Expr) -> exp.Expr:
    """Division by zero is an error in GoogleSQL; DuckDB would give NULL or infinity."""
    if isinstance(divisor, exp.Literal) and divisor.name.strip("0."):
        return divisor
    zero = exp.EQ(this=exp.paren(divisor.copy()), expression=exp.Literal.number(0))
    failed = exp.Anonymous(this="error", expressions=[exp.Literal.string("division by zero")])
    return exp.Case(ifs=[exp.If(this=zero, true=failed)], default=divisor.copy())


def _rewritten(node: exp.Expr) -> exp.Expr:
    rewrite = REWRITES.get(type(node))
    return rewrite(node) if rewrite else node


def _date_stays_date(node: Any) -> exp.Expr:
    """DuckDB makes a timestamp of date ± interval."""
    if isinstance(node.parent, exp.Cast) and node.parent.is_type("date"):
        return node
    return exp.cast(node.copy(), "date")


def _decimal_point_is_float(node: Any) -> exp.Expr:
    """In GoogleSQL 1.5 is a FLOAT64; in DuckDB it would be a DECIMAL."""
    if node.is_string or node.this.isdecimal() or isinstance(node.parent, exp.Cast):
        return node
    return exp.cast(node.copy(), "double")


def _format_is_printf(node: Any) -> exp.Expr:
    """DuckDB's own FORMAT has another language; its printf has no %t, %T, %p and %P."""
    pattern = node.this
    if not pattern.is_string or re.search(r"%[-+ #0-9.*']*[tTpP]", pattern.name):
        raise not_implemented("FORMAT with anything but C's conversions in a literal")
    return exp.Anonymous(this="printf", expressions=[pattern.copy(), *[each.copy() for each in node.expressions]])


def _decimal_has_all_digits(node: Any) -> exp.Expr:
    """Without parameters DuckDB's DECIMAL has three digits behind the point: NUMERIC '…' would be rounded to them."""
    kind = node.to.this.value
    if kind in ("DECIMAL", "BIGDECIMAL") and not node.to.expressions:
        column = Column("", "NUMERIC" if kind == "DECIMAL" else "BIGNUMERIC")
        node.set("to", exp.DataType.build(duckdb_type(column), dialect="duckdb"))
    return node


def _default_is_a_keyword(node: Any) -> exp.Expr:
    """`SET a = DEFAULT`: DEFAULT is a reserved word, so no column has this name without quotes."""
    if node.table or node.name.upper() != "DEFAULT" or node.this.args.get("quoted"):
        return node
    return exp.var("DEFAULT")


def _only_in_a_query(node: Any) -> exp.Expr:
    """`computed` replaces these where it can ask for their arguments' values and types."""
    raise not_implemented(f"{node.sql_name()} in a view, a default or a statement that changes rows")


REWRITES: dict[type[exp.Expr], Callable[[Any], exp.Expr]] = {
    exp.Cast: _decimal_has_all_digits,
    exp.TryCast: _decimal_has_all_digits,
    exp.Column: _default_is_a_keyword,
    exp.Literal: _decimal_point_is_float,
    exp.DateAdd: _date_stays_date,
    exp.DateSub: _date_stays_date,
    exp.Format: _format_is_printf,
    exp.FarmFingerprint: _only_in_a_query,
    exp.JSONFormat: _only_in_a_query,
}
