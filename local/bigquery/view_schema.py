"""The columns of a logical view: those of its query."""

from local.bigquery.catalog import Table
from local.bigquery.errors import not_implemented
from local.bigquery.query_request import QueryRequest
from local.bigquery.schema import Schema
from local.bigquery.selecting import described
from local.bigquery.warehouse import Warehouse


async def view_schema(warehouse: Warehouse, view: Table, location: str) -> Schema:
    """Raises what is wrong with the view's query."""
    definition = view.resource["view"]
    if definition.get("useLegacySql", True) not in (False, "false"):
        raise not_implemented("A view in legacy SQL, the API's default (set useLegacySql to false)")
    request = QueryRequest.of_view(definition.get("query") or "", view.name.project)
    _, schema = await described(warehouse, request, location)
    return schema
