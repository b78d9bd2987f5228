"""What a request is called by Google's own descriptions of its APIs, which google-api-python-client ships."""

import functools
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from googleapiclient.discovery_cache import get_static_doc

# The APIs that a local server answers, and where their paths begin: an endpoint of one's own takes the place of
# Drive's whole base address, and of BigQuery's host alone.
APIS = {
    "bigquery": [("bigquery", "v2", "/bigquery/v2/")],
    "run": [("run", "v2", "/")],
    "sheets": [("sheets", "v4", "/"), ("drive", "v3", "/")],
}


def call_of(server: str, method: str, path: str, body: bytes) -> str:
    """`run.projects.locations.jobs.run`, `bigquery.jobs.insert load`: the method's id, and what kind of job it makes.

    A request that no method describes is called by its path, which no table has.
    """
    place = urlsplit(path).path
    if place.startswith("/upload/bigquery/v2/"):
        return "bigquery.jobs.insert load"
    found = [name for verb, pattern, name in _methods(server) if verb == method and pattern.fullmatch(place)]
    if not found:
        return f"{server} {method} {place}"
    # The longest template is the most particular: `jobs/{job}:run` before `jobs/{job}`.
    return f"{found[-1]} {_kind(body)}" if found[-1] == "bigquery.jobs.insert" else found[-1]


def _kind(body: bytes) -> str:
    configuration = json.loads(body)["configuration"]
    if configuration.get("dryRun"):
        return "dry run"
    query = configuration.get("query", {}).get("query", "").lstrip().upper()
    if query.startswith("MERGE"):
        return "merge"
    if query.startswith("CREATE OR REPLACE VIEW"):
        return "view"
    if "INFORMATION_SCHEMA.JOBS" in query:
        return "jobs"
    return "select" if " FROM " in query else next(iter(configuration.keys() - {"labels"}))


@functools.cache
def _methods(server: str) -> list[tuple[str, re.Pattern[str], str]]:
    documents = [(json.loads(get_static_doc(name, version)), base) for name, version, base in APIS[server]]
    found = [each for document, base in documents for each in _described(document, base)]
    return [(verb, _pattern(template), name) for verb, template, name in sorted(found, key=lambda each: len(each[1]))]


def _described(resource: dict[str, Any], base: str) -> Iterator[tuple[str, str, str]]:
    for method in resource.get("methods", {}).values():
        yield method["httpMethod"], base + method.get("flatPath", method["path"]), method["id"]
    for inner in resource.get("resources", {}).values():
        yield from _described(inner, base)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template)))
