"""Inserting a job: what BigQuery checks before it accepts one, and where the job then lives."""

import uuid
from dataclasses import dataclass
from typing import Any

from local.bigquery.catalog import Catalog
from local.bigquery.copying import CopyRequest
from local.bigquery.errors import BigQueryError, invalid, not_found, not_implemented
from local.bigquery.jobs import Job
from local.bigquery.load_request import LoadRequest
from local.bigquery.names import DatasetName, JobName, canonical_location, check_job_id
from local.bigquery.query_request import QueryRequest
from local.bigquery.translate import parse, referenced_tables, table_name
from local.bigquery.warehouse import Warehouse

TYPES = ("load", "query", "copy")
# https://cloud.google.com/bigquery/docs/locations#specify_locations: queries that name no dataset run here.
DEFAULT_LOCATION = "US"
REGION_PREFIX = "region-"
LONGEST_LABEL = 63


@dataclass(frozen=True)
class Insertion:
    """A job that was asked for and may be accepted."""

    name: JobName
    configuration: dict[str, Any]


def checked_insertion(warehouse: Warehouse, project: str, resource: dict[str, Any]) -> Insertion:
    """Raises what jobs.insert answers at once: bad configuration, missing dataset, wrong location, taken id."""
    reference = resource.get("jobReference") or {}
    if reference.get("projectId", project) != project:
        raise invalid(f"Project in jobReference ({reference['projectId']}) is not the request's ({project}).")
    configuration = dict(resource.get("configuration") or {})
    types = [type_ for type_ in TYPES if type_ in configuration]
    if "extract" in configuration:
        raise not_implemented("An extract job")
    if len(types) != 1:
        raise invalid("Required parameter is missing: configuration needs exactly one of load, query, copy")
    check_labels(configuration.get("labels") or {})
    configuration["jobType"] = types[0].upper()
    datasets = _datasets(configuration, types[0], project)
    if types[0] == "query" and not datasets and not reference.get("location"):
        location = _location_of_query(warehouse.catalog, configuration["query"], project)
    else:
        location = _location(warehouse.catalog, reference.get("location"), datasets)
    job = check_job_id(reference["jobId"]) if reference.get("jobId") else f"job_{uuid.uuid4().hex}"
    name = JobName(project, location, job)
    warehouse.jobs.check_free(name)
    return Insertion(name, configuration)


def accept(warehouse: Warehouse, insertion: Insertion, upload: str | None) -> Job:
    """Raises duplicate, also if the id was taken while the upload went on."""
    return warehouse.jobs.insert(insertion.name, insertion.configuration, upload)


def _datasets(configuration: dict[str, Any], type_: str, project: str) -> list[DatasetName]:
    """The datasets that have to exist in the job's location."""
    if type_ == "load":
        return [LoadRequest.from_api(configuration["load"], project).destination.in_dataset]
    if type_ == "copy":
        return [CopyRequest.from_api(configuration["copy"], project).destination.in_dataset]
    return QueryRequest.from_api(configuration["query"], project).datasets()


def _location(catalog: Catalog, asked: str | None, datasets: list[DatasetName]) -> str:
    """The asked location, or the first dataset's. Raises notFound for a dataset that is not there."""
    location = canonical_location(asked) if asked else None
    for dataset in datasets:
        found = catalog.dataset(dataset).location
        if location is not None and found != location:
            raise not_found("Dataset", dataset, f" was not found in location {location}")
        location = found
    return location or DEFAULT_LOCATION


def _location_of_query(catalog: Catalog, query: dict[str, Any], project: str) -> str:
    """Where the first dataset or region is that the query names; what does not parse fails later, as the job."""
    request = QueryRequest.from_api(query, project)
    try:
        nodes = list(referenced_tables(parse(request.sql)))
        names = [table_name(node, request) for node in nodes if len(node.parts) > 1 or request.default_dataset]
    except BigQueryError:
        return DEFAULT_LOCATION
    for name in names:
        if name.dataset.lower().startswith(REGION_PREFIX):
            return canonical_location(name.dataset[len(REGION_PREFIX) :])
        for dataset in catalog.datasets(name.project):
            if dataset.name.dataset == name.dataset:
                return dataset.location
    return DEFAULT_LOCATION


def check_labels(labels: dict[str, Any]) -> None:
    """https://cloud.google.com/bigquery/docs/labels-intro#requirements"""
    for key, value in labels.items():
        characters = f"{key}{value}"
        well_formed = all(c in "_-" or c.isalnum() for c in characters) and characters == characters.lower()
        if not (key and key[0].isalpha() and well_formed and max(len(key), len(value or "")) <= LONGEST_LABEL):
            raise invalid(
                f"Label key or value is malformed: {key}. Use lower-case letters, numbers, dashes and underscores, "
                f"at most {LONGEST_LABEL} characters, the key beginning with a letter."
            )
