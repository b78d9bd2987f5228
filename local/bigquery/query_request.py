"""A query job's configuration, checked when the job is inserted."""

from dataclasses import dataclass
from typing import Any, Self

from local.bigquery.errors import invalid, not_implemented
from local.bigquery.load_request import CREATE_DISPOSITIONS, one_of
from local.bigquery.names import DatasetName, TableName

WRITE_DISPOSITIONS = ("WRITE_EMPTY", "WRITE_APPEND", "WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA")
REFUSED = (
    "tableDefinitions",
    "userDefinedFunctionResources",
    "rangePartitioning",
    "createSession",
    "continuous",
)


@dataclass(frozen=True)
class QueryRequest:
    """What a query job is asked to do; no destination means an anonymous table."""

    sql: str
    project: str
    default_dataset: DatasetName | None
    destination: TableName | None
    write: str
    may_create: bool
    parameters: tuple[dict[str, Any], ...]
    named_parameters: bool
    options: dict[str, Any]

    @classmethod
    def from_api(cls, query: dict[str, Any], project: str) -> Self:
        """Raises invalid (or notImplemented) on what BigQuery refuses at submission."""
        if not (query.get("query") or "").strip():
            raise invalid("Required parameter is missing: query")
        if query.get("useLegacySql", True) in (True, "true"):
            raise not_implemented("Legacy SQL, the API's default (set useLegacySql to false)")
        for option in REFUSED:
            if query.get(option):
                raise not_implemented(f"A query with {option}")
        mode = query.get("parameterMode") or ""
        if mode.upper() not in ("", "NAMED", "POSITIONAL"):
            raise invalid(f"Invalid value for parameterMode: {mode}")
        parameters = tuple(query.get("queryParameters") or ())
        default, destination = query.get("defaultDataset"), query.get("destinationTable")
        return cls(
            query["query"],
            project,
            DatasetName.from_api(default, project) if default else None,
            TableName.from_api(destination, project) if destination else None,
            one_of(query, "writeDisposition", "WRITE_EMPTY", WRITE_DISPOSITIONS),
            one_of(query, "createDisposition", "CREATE_IF_NEEDED", CREATE_DISPOSITIONS) == "CREATE_IF_NEEDED",
            parameters,
            mode.upper() == "NAMED" or bool(parameters and parameters[0].get("name")),
            query,
        )

    @classmethod
    def of_view(cls, sql: str, project: str) -> Self:
        """A view's query: tables without a project are in the view's."""
        return cls.from_api({"query": sql, "useLegacySql": False}, project)

    def datasets(self) -> list[DatasetName]:
        """The datasets that have to exist before the job is accepted."""
        return [self.destination.in_dataset] if self.destination else []
