"""What things may be called: projects, datasets, tables, jobs and columns."""

import re
import unicodedata
from typing import Any, NamedTuple, Self

from local.bigquery.errors import invalid

PROJECT = re.compile(r"(?:[a-z][a-z0-9.-]*[a-z0-9]:)?[a-z][a-z0-9-]{2,28}[a-z0-9]")
DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
JOB = re.compile(r"[A-Za-z0-9_-]{1,1024}")
PARTITION = re.compile(r"\d{4}(?:\d{2}){0,3}")

# https://cloud.google.com/bigquery/docs/schemas#column_names
LONGEST_COLUMN_NAME = 300
RESERVED_COLUMN_PREFIXES = (
    "_TABLE_",
    "_FILE_",
    "_PARTITION",
    "_ROW_TIMESTAMP",
    "__ROOT__",
    "_COLIDENTIFIER",
    "_CHANGE_SEQUENCE_NUMBER",
    "_CHANGE_TYPE",
    "_CHANGE_TIMESTAMP",
)
# https://cloud.google.com/bigquery/docs/schemas#flexible-column-names
FLEXIBLE_CHARACTERS = frozenset("&%=+:'<>#|-_")
MULTI_REGIONS = ("US", "EU")
REGION = re.compile(r"[a-z]+-[a-z]+\d+|(?:aws|azure)-[a-z0-9-]+")


class DatasetName(NamedTuple):
    project: str
    dataset: str

    @classmethod
    def from_api(cls, reference: dict[str, Any], default_project: str) -> Self:
        name = cls(reference.get("projectId") or default_project, reference.get("datasetId") or "")
        if not DATASET.fullmatch(name.dataset):
            raise invalid(
                f'Invalid dataset ID "{name.dataset}". Dataset IDs must be alphanumeric (plus underscores) '
                "and must be at most 1024 characters long."
            )
        return name

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}"

    def as_reference(self) -> dict[str, str]:
        return {"projectId": self.project, "datasetId": self.dataset}


class TableName(NamedTuple):
    """A table; `partition` is its decorator (`20240131` in `sales$20240131`), or empty."""

    project: str
    dataset: str
    table: str
    partition: str = ""

    @classmethod
    def from_api(cls, reference: dict[str, Any], default_project: str) -> Self:
        dataset = DatasetName.from_api(reference, default_project)
        table, dollar, partition = (reference.get("tableId") or "").partition("$")
        if not is_table_id(table) or bool(dollar) != bool(partition):
            raise invalid(
                f'Invalid table ID "{reference.get("tableId")}". Table IDs must be letters, marks, numbers, '
                "connectors, dashes or spaces, and at most 1024 bytes long."
            )
        if partition and not PARTITION.fullmatch(partition):
            raise invalid(f"Invalid partition decorator ${partition}: write $YYYYMMDD (or YYYY, YYYYMM, YYYYMMDDHH)")
        return cls(dataset.project, dataset.dataset, table, partition)

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}.{self.table}"

    @property
    def in_dataset(self) -> DatasetName:
        return DatasetName(self.project, self.dataset)

    @property
    def whole(self) -> "TableName":
        return self._replace(partition="")

    def as_reference(self) -> dict[str, str]:
        return {"projectId": self.project, "datasetId": self.dataset, "tableId": self.table}


class JobName(NamedTuple):
    """A job's identity: an id is unique within its project and location only."""

    project: str
    location: str
    job: str

    def __str__(self) -> str:
        return f"{self.project}:{self.location}.{self.job}"

    def as_reference(self) -> dict[str, str]:
        return {"projectId": self.project, "jobId": self.job, "location": self.location}


def is_table_id(table: str) -> bool:
    """Categories L, M, N, Pc, Pd, Zs, at most 1024 UTF-8 bytes (the reference of TableReference.tableId)."""
    categories = {unicodedata.category(character) for character in table}
    allowed = {category for category in categories if category[0] in "LMN" or category in ("Pc", "Pd", "Zs")}
    return bool(table) and categories == allowed and len(table.encode()) <= 1024


def check_project(project: str) -> str:
    if not PROJECT.fullmatch(project):
        raise invalid(f'Invalid project ID "{project}".')
    return project


def check_job_id(job: str) -> str:
    if not JOB.fullmatch(job):
        raise invalid(
            f'Invalid job ID "{job}". Job IDs must be alphanumeric (plus underscores and dashes) and must be '
            "at most 1024 characters long."
        )
    return job


def canonical_location(location: str) -> str:
    """`us` and `US` are one place; regions are written in lower case. Raises invalid for what is neither."""
    if location.upper() in MULTI_REGIONS:
        return location.upper()
    if not REGION.fullmatch(location.lower()):
        raise invalid(f"Invalid value for location: {location} is not a valid value")
    return location.lower()


def check_column_name(name: str) -> None:
    """Refuse what BigQuery refuses, flexible column names allowed."""
    if not name or len(name) > LONGEST_COLUMN_NAME:
        raise invalid(
            f'Invalid field name "{name}". Fields must have a name of at most {LONGEST_COLUMN_NAME} characters.'
        )
    if name.upper().startswith(RESERVED_COLUMN_PREFIXES):
        raise invalid(f'Invalid field name "{name}". Field names are not allowed to start with a reserved prefix.')
    if not all(_may_be_in_column_name(character) for character in name):
        raise invalid(
            f'Invalid field name "{name}". Fields must contain the allowed characters, and be at most 300 '
            "characters long. For allowed characters, please refer to "
            "https://cloud.google.com/bigquery/docs/schemas#column_names"
        )


def _may_be_in_column_name(character: str) -> bool:
    category = unicodedata.category(character)
    return character in FLEXIBLE_CHARACTERS or character.isspace() or category[0] in "LMN" or category in ("Pc", "Pd")
