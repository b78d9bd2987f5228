"""The table's columns: headers and a custom schema into names, descriptions and asked types. Pure."""

from collections.abc import Sequence

import msgspec

from job.columns.cells import column_letters
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
    def limited(self) -> bool:
        """Whether the config asks for text of a length at most."""
        return self.asked is not None and self.asked.type == "STRING" and self.asked.max_length is not None


def plan_columns(
    headers: Sequence[str], asked: Sequence[Column], subject: str, standing: Sequence[Column] = ()
) -> list[ColumnPlan]:
    """A plan for each column of the tab, from left to right; `headers` are as the sheet shows them, "" for blank.

    A column that the custom schema does not mention gets the type of the `standing` table's column of its name, where
    there is one; else it is inferred. Raises `SchemaViolated` for columns of the schema that the tab does not have,
    and for two that one header belongs to.
    """
    names = column_names(headers)
    places = _places(names, headers, asked)
    problems = _absent(places) + _shared(places)
    if problems:
        raise SchemaViolated(
            f"{subject}: custom_schema: {'; '.join(problems)}",
            "give each of these columns its header's exact text, or the column name that is made of it",
        )
    there = {column.name.casefold(): column for column in standing}
    found = {index: there[name.casefold()] for index, name in enumerate(names) if name.casefold() in there}
    found |= {index: column for index, column in zip(places, asked, strict=True) if index is not None}
    return [
        ColumnPlan(index, _spelled(name, found.get(index)), headers[index], found.get(index))
        for index, name in enumerate(names)
    ]


def _places(names: Sequence[str], headers: Sequence[str], asked: Sequence[Column]) -> list[int | None]:
    """For each column of the schema the tab's column that has its name or its exact header; None if none has."""
    by_name = {name.casefold(): index for index, name in reversed(list(enumerate(names)))}
    by_header = {header: index for index, header in reversed(list(enumerate(headers))) if header}
    return [by_header.get(column.name, by_name.get(column.name.casefold())) for column in asked]


def _absent(places: Sequence[int | None]) -> list[str]:
    absent = [str(number) for number, index in enumerate(places, 1) if index is None]
    return [f"no header of the tab belongs to its columns number {', '.join(absent)}"] if absent else []


def _shared(places: Sequence[int | None]) -> list[str]:
    """Columns of the schema that mean one column of the tab, as `Order ID` and `order_id` do."""
    first: dict[int, int] = {}
    return [
        f"its columns number {first[index]} and {number} both mean the tab's column {column_letters(index)}"
        for number, index in enumerate(places, 1)
        if index is not None and first.setdefault(index, number) != number
    ]


def _spelled(name: str, asked: Column | None) -> str:
    """The name; in the config's spelling, where that differs by upper and lower case alone."""
    return asked.name if asked and asked.name.casefold() == name.casefold() else name
