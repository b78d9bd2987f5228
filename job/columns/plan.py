"""The table's columns: headers and a custom schema into names, descriptions and asked types. Pure."""

from collections.abc import Sequence

import msgspec

from job.columns.kinds import Kind
from job.columns.names import column_names
from job.errors import SchemaViolated
from shared.config import Column

# cloud.google.com/bigquery/docs/schemas#column_descriptions
_LONGEST_DESCRIPTION = 1024


class ColumnPlan(msgspec.Struct, frozen=True):
    """What one column of the tab becomes, if it becomes one. `index` counts the tab's columns from 0."""

    index: int
    name: str
    header: str
    asked: Column | None = None

    @property
    def description(self) -> str:
        """The original header, unless the config describes the column."""
        text = self.asked.description if self.asked and self.asked.description else self.header
        return text[:_LONGEST_DESCRIPTION]

    @property
    def required(self) -> bool:
        return self.asked is not None and self.asked.mode == "REQUIRED"

    @property
    def kind(self) -> Kind | None:
        """The kind that the config asks for; None where the cells decide. STRING is whatever the sheet shows."""
        return None if self.asked is None or self.asked.type == "STRING" else Kind(self.asked.type)

    @property
    def textual(self) -> bool:
        return self.asked is not None and self.asked.type == "STRING"


def plan_columns(headers: Sequence[str], asked: Sequence[Column]) -> list[ColumnPlan]:
    """A plan for each column of the tab, from left to right; `headers` are as the sheet shows them, "" for blank.

    A column that the custom schema does not mention is inferred, as if there were none. Raises
    `SchemaViolated` for columns of the schema that the tab does not have.
    """
    names = column_names(headers)
    found = _match(names, headers, asked)
    absent = [str(number) for number, column in enumerate(asked, 1) if column not in found.values()]
    if absent:
        raise SchemaViolated(
            f"custom_schema: no header of the tab belongs to its columns number {', '.join(absent)}",
            "give these columns the header's exact text, or the column name that is made of it",
        )
    return [
        ColumnPlan(index, _spelled(name, found.get(index)), headers[index], found.get(index))
        for index, name in enumerate(names)
    ]


def _match(names: Sequence[str], headers: Sequence[str], asked: Sequence[Column]) -> dict[int, Column]:
    by_name = {name.casefold(): index for index, name in reversed(list(enumerate(names)))}
    by_header = {header: index for index, header in reversed(list(enumerate(headers))) if header}
    found: dict[int, Column] = {}
    for column in asked:
        index = by_header.get(column.name, by_name.get(column.name.casefold()))
        if index is not None:
            found.setdefault(index, column)
    return found


def _spelled(name: str, asked: Column | None) -> str:
    """The name; in the config's spelling, where that differs by upper and lower case alone."""
    return asked.name if asked and asked.name.casefold() == name.casefold() else name
