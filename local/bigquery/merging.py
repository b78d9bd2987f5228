"""What MERGE and UPDATE … FROM need beside translation: BigQuery's ambiguity check, and counts per action."""

from collections import Counter
from typing import Any

from sqlglot import exp

from local.bigquery.catalog import Table
from local.bigquery.engine import Session
from local.bigquery.errors import invalid_query
from local.bigquery.translate import to_duckdb

AMBIGUOUS = "UPDATE/MERGE must match at most one source row for each target row"
COUNT_OF_ACTION = {"INSERT": "insertedRowCount", "UPDATE": "updatedRowCount", "DELETE": "deletedRowCount"}


def prepare_merge(tree: exp.Merge, table: Table) -> None:
    """Spell out INSERT ROW, and take the target's name from the columns that SET assigns."""
    source = tree.args["using"].alias_or_name
    for when in tree.args["whens"].expressions:
        action = when.args["then"]
        if isinstance(action, exp.Insert) and isinstance(action.this, exp.Var):
            names = [column.name for column in table.schema]
            action.set("this", exp.Tuple(expressions=[exp.to_identifier(name, quoted=True) for name in names]))
            values = [exp.column(exp.to_identifier(name, quoted=True), table=source) for name in names]
            action.set("expression", exp.Tuple(expressions=values))
        if isinstance(action, exp.Update):
            unqualify_assignments(action)


def unqualify_assignments(update: exp.Update) -> None:
    """DuckDB takes no table's name on the left of `SET a = …`."""
    for assignment in update.expressions:
        if isinstance(assignment.this, exp.Column):
            assignment.this.set("table", None)


def check_merge(session: Session, tree: exp.Merge, parameters: dict[str, Any]) -> None:
    """Raises invalidQuery where DuckDB would silently take the first of several matching source rows."""
    matched = [when for when in tree.args["whens"].expressions if when.args.get("matched")]
    if not matched:
        return
    conditions = [when.args.get("condition") for when in matched]
    acts = None if None in conditions else exp.or_(*[condition.copy() for condition in conditions])
    where = exp.and_(tree.args["on"].copy(), acts) if acts is not None else tree.args["on"].copy()
    _check(session, tree.this, [tree.args["using"]], where, parameters)


def check_update(session: Session, tree: exp.Update, parameters: dict[str, Any]) -> None:
    """The same for UPDATE … FROM."""
    source = tree.args.get("from_")
    if source is not None:
        joins = source.this.args.get("joins") or []
        _check(session, tree.this, [source.this, *joins], tree.args["where"].this.copy(), parameters)


def _check(
    session: Session, target: exp.Table, sources: list[Any], where: exp.Expr, parameters: dict[str, Any]
) -> None:
    row = exp.column("rowid", table=exp.to_identifier(target.alias_or_name, quoted=True))
    query = exp.select("1").from_(target.copy()).where(where).group_by(row).having("COUNT(*) > 1").limit(1)
    for source in sources:
        query = query.join(source.copy(), join_type="cross") if not isinstance(source, exp.Join) else query.join(source)
    if session.execute(to_duckdb(query), _used(query, parameters)).fetchone():
        raise invalid_query(AMBIGUOUS)


def _used(query: exp.Expr, parameters: dict[str, Any]) -> dict[str, Any]:
    """DuckDB refuses values for parameters that the statement does not have."""
    names = {node.name for node in query.find_all(exp.Placeholder)}
    return {name: value for name, value in parameters.items() if name in names}


def run_merge(session: Session, tree: exp.Merge, parameters: dict[str, Any]) -> dict[str, int]:
    """Execute; the answer counts the rows by what was done to them."""
    actions = session.execute(f"{to_duckdb(tree)} RETURNING merge_action", parameters).fetchall()
    counted = Counter(action for (action,) in actions)
    return {name: counted[action] for action, name in COUNT_OF_ACTION.items()}
