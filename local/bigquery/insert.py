"""Inserting a job: what BigQuery checks before it accepts one, and where the job then lives."""

import uuid
from dataclasses import dataclass
from typing import Any

from local.bigquery.catalog import Catalog
from local.bigquery.copying import CopyRequest
from local.bigquery.errors import invalid, not_found, not_implemented
from local.bigquery.jobs import Job
from local.bigquery.load_request import LoadRequest
from local.bigquery.names import DatasetName, JobName, canonical_location, check_job_id
from local.bigquery.query_request import QueryRequest
from local.bigquery.warehouse import Warehouse

TYPES = ("load", "query", "copy")
# https://cloud.google.com/bigquery/docs/locations#specify_locations: queries that name no dataset run here.
DEFAULT_LOCATION = "US"
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
