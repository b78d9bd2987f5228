"""Functions that DuckDB does not have: FARM_FINGERPRINT, computed here, and TO_JSON_STRING, by its argument's type.

DuckDB calls Python only where numpy is installed. So each SELECT is asked for the values that the function gets, and
the call becomes a look into a list of what it gives for them.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot import exp

from local.bigquery.engine import Session
from local.bigquery.errors import invalid_query, not_implemented
from local.bigquery.farmhash import fingerprint
from local.bigquery.json_text import json_text
from local.bigquery.schema import Column, Schema
from local.bigquery.translate import to_duckdb

COMPUTED = (exp.FarmFingerprint, exp.JSONFormat)


class Computing:
    """Resolves the calls in one statement; `session` has what the statement reads, `parameters` are its own."""

    def __init__(self, session: Session, tree: exp.Expr, parameters: dict[str, Any]) -> None:
        self._session = session
        self._tree = tree
        self._parameters = parameters
        self._numbers = itertools.count()

    def resolve(self) -> None:
        """Replaces every call, the inner ones first, and those of one SELECT together."""
        selects = reversed(list(self._tree.find_all(exp.Select, bfs=False)))
        # What WITH names comes first: others read it.
        for select in sorted(selects, key=lambda each: each.find_ancestor(exp.CTE) is None):
            while calls := list(_innermost(select)):
                self._resolve(select, calls)

    def _resolve(self, select: exp.Select, calls: list[exp.Expr]) -> None:
        arguments = [_argument(call) for call in calls]
        types = self._types(select, arguments)
        values = self._values(
            select, [each for call, each in zip(calls, arguments, strict=True) if isinstance(call, exp.FarmFingerprint)]
        )
        for call, argument, type_ in zip(calls, arguments, types, strict=True):
            if isinstance(call, exp.JSONFormat):
                call.replace(exp.paren(sqlglot.parse_one(json_text(to_duckdb(argument), type_), read="duckdb")))
            else:
                call.replace(self._looked_up(argument, type_, next(values)))

    def _types(self, select: exp.Select, arguments: list[exp.Expr]) -> Schema:
        named = [exp.alias_(argument.copy(), f"v{number}") for number, argument in enumerate(arguments)]
        asked = self._asked(select, named)
        return self._session.described(to_duckdb(asked), self._used(asked))

    def _values(self, select: exp.Select, arguments: list[exp.Expr]) -> Iterator[list[Any]]:
        """The different values of each argument that are not NULL."""
        if not arguments:
            return iter(())
        lists = (sqlglot.parse_one(f"list(DISTINCT {to_duckdb(each)})", read="duckdb") for each in arguments)
        asked = self._asked(select, [exp.alias_(each, f"v{number}") for number, each in enumerate(lists)])
        found = self._session.execute(to_duckdb(asked), self._used(asked)).fetchone() or ()
        return ([value for value in values or () if value is not None] for values in found)

    def _looked_up(self, argument: exp.Expr, type_: Column, values: list[Any]) -> exp.Expr:
        if type_.type not in ("STRING", "BYTES") or type_.mode == "REPEATED":
            raise invalid_query(f"No matching signature for function FARM_FINGERPRINT for argument type {type_.type}")
        if not values:
            return sqlglot.parse_one("CAST(NULL AS BIGINT)", read="duckdb")
        given = [fingerprint(value.encode() if isinstance(value, str) else value) for value in values]
        # A value's number in an ENUM is its fingerprint's place in a list: a join for each call would take DuckDB
        # minutes to plan where a table has a thousand columns.
        name = f"fingerprints_{next(self._numbers)}"
        self._session.add_rows(name, pa.table({"v": values, "h": given}))
        self._session.execute(f"CREATE TEMP TYPE {name}_of AS ENUM (SELECT CAST(v AS VARCHAR) FROM {name})")
        self._session.execute(f"SET VARIABLE {name} = (SELECT list(h) FROM {name})")
        place = f"enum_code(CAST(CAST({to_duckdb(argument)} AS VARCHAR) AS {name}_of))"
        return sqlglot.parse_one(f"list_extract(getvariable('{name}'), CAST({place} AS BIGINT) + 1)", read="duckdb")

    def _asked(self, select: exp.Select, projections: list[exp.Expr]) -> exp.Select:
        """The SELECT with other columns, over the same rows or more."""
        asked = exp.select(*projections)
        for part in ("from_", "joins", "laterals", "with_"):
            if select.args.get(part) is not None:
                value = select.args[part]
                asked.set(part, [each.copy() for each in value] if isinstance(value, list) else value.copy())
        where = select.args.get("where")
        if where is not None and where.find(*COMPUTED) is None:
            asked.set("where", where.copy())
        if asked.args.get("with_") is None and (names := self._names_for(select)):
            asked.set("with_", exp.With(expressions=[each.copy() for each in names]))
        return asked

    def _names_for(self, select: exp.Select) -> list[exp.CTE]:
        """What the statement's WITH has that the SELECT may read: all, or where it is in one of them, those before."""
        outer = self._tree.args.get("with_")
        named = list(outer.expressions) if outer is not None else []
        inside = next((number for number, each in enumerate(named) if select in each.find_all(exp.Select)), len(named))
        return named[:inside]

    def _used(self, tree: exp.Expr) -> dict[str, Any]:
        names = {node.name for node in tree.find_all(exp.Placeholder)}
        return {name: value for name, value in self._parameters.items() if name in names}


def _innermost(select: exp.Select) -> Iterator[exp.Expr]:
    """The calls of this SELECT, no subquery's, that have no other in their argument."""
    for call in select.find_all(*COMPUTED):
        if call.find_ancestor(exp.Select) is select and not any(
            inner is not call for inner in call.find_all(*COMPUTED)
        ):
            yield call


def _argument(call: exp.Expr) -> exp.Expr:
    argument = call.expressions[0] if isinstance(call, exp.FarmFingerprint) and call.expressions else call.this
    if isinstance(call, exp.JSONFormat) and call.args.get("options") is not None:
        raise not_implemented("TO_JSON_STRING with pretty_print")
    if argument.find(exp.AggFunc, exp.Window, exp.Subquery) is not None:
        raise not_implemented("FARM_FINGERPRINT or TO_JSON_STRING of an aggregate or a subquery")
    return argument
