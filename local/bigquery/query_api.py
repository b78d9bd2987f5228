"""jobs.query and jobs.getQueryResults: https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.bigquery.dataset_api import warehouse_of
from local.bigquery.errors import from_proto, invalid, not_implemented
from local.bigquery.insert import accept, checked_insertion
from local.bigquery.job_api import job_of, runner_of
from local.bigquery.jobs import Job
from local.bigquery.names import TableName, check_project
from local.bigquery.query import dry_run
from local.bigquery.requests import MOST_ROWS_A_PAGE, json_body, number, start_of_page
from local.bigquery.rows import encoded_rows, page

DEFAULT_TIMEOUT_MS = 10_000
# A request is held open for at most that long, whatever the client asks for.
LONGEST_TIMEOUT_MS = 200_000
# What jobs.query takes beside the query's configuration itself.
OF_THE_JOB = ("labels", "jobTimeoutMs", "dryRun", "reservation", "maxSlots")
OF_THE_REQUEST = [
    "kind",
    "location",
    "maxResults",
    "timeoutMs",
    "formatOptions",
    "requestId",
    "jobCreationMode",
    "queryResultsFormat",
    "arrowSerializationOptions",
    "preserveNulls",
    "writeIncrementalResults",
    "secureContext",
]


async def query(request: Request) -> Response:
    """Start a query and answer with its first page if it is done in time."""
    warehouse = warehouse_of(request)
    project = check_project(request.path_params["project"])
    body = await json_body(request, "QueryRequest")
    if body.get("queryResultsFormat") == "ARROW":
        raise not_implemented("queryResultsFormat ARROW")
    insertion = checked_insertion(warehouse, project, _job_of_query(body, project))
    if body.get("dryRun"):
        name = insertion.name
        statistics = await dry_run(warehouse, project, name.location, insertion.configuration)
        return JSONResponse(_dry_answer(statistics, project, name.location))
    job = accept(warehouse, insertion, None)
    runner_of(request).start(job)
    timeout = int(body.get("timeoutMs") or DEFAULT_TIMEOUT_MS)
    await runner_of(request).wait(job.name, min(timeout, LONGEST_TIMEOUT_MS) / 1000)
    job = warehouse.jobs.get(project, job.name.job, job.name.location)
    int64_timestamps = bool((body.get("formatOptions") or {}).get("useInt64Timestamp"))
    rows = body.get("maxResults")
    answer = await _answer(request, job, 0, MOST_ROWS_A_PAGE if rows is None else int(rows), int64_timestamps)
    return JSONResponse({**answer, "kind": "bigquery#queryResponse", "location": job.name.location})


def _job_of_query(body: dict[str, Any], project: str) -> dict[str, Any]:
    """The job that a QueryRequest stands for."""
    job_keys = {key: body[key] for key in OF_THE_JOB if key in body}
    configuration = {k: v for k, v in body.items() if k not in OF_THE_JOB and k not in OF_THE_REQUEST}
    return {
        "jobReference": {"projectId": project, "location": body.get("location")},
        "configuration": {**job_keys, "query": configuration},
    }


def _dry_answer(statistics: dict[str, Any], project: str, location: str) -> dict[str, Any]:
    return {
        "kind": "bigquery#queryResponse",
        "jobReference": {"projectId": project, "location": location},
        "jobComplete": True,
        "schema": statistics["query"]["schema"],
        "totalBytesProcessed": statistics["totalBytesProcessed"],
        "cacheHit": False,
    }


async def results(request: Request) -> Response:
    """jobs.getQueryResults: waits for the job up to `timeoutMs`; a failed job answers with its error."""
    job = job_of(request)
    if job.type != "QUERY":
        raise invalid(f"Job {job.name} is not a query job")
    timeout = min(number(request, "timeoutMs", DEFAULT_TIMEOUT_MS), LONGEST_TIMEOUT_MS)
    await runner_of(request).wait(job.name, timeout / 1000)
    count = min(number(request, "maxResults", MOST_ROWS_A_PAGE), MOST_ROWS_A_PAGE)
    int64_timestamps = request.query_params.get("formatOptions.useInt64Timestamp") in ("true", "True")
    answer = await _answer(request, job_of(request), start_of_page(request), count, int64_timestamps)
    return JSONResponse({**answer, "kind": "bigquery#getQueryResultsResponse", "etag": ""})


async def _answer(request: Request, job: Job, start: int, count: int, int64_timestamps: bool) -> dict[str, Any]:
    reference = {"jobReference": job.name.as_reference()}
    if not job.is_done:
        return {**reference, "jobComplete": False}
    if job.error:
        raise from_proto(job.error)
    statistics = job.resource["statistics"]
    query_statistics = statistics["query"]
    answer = {
        **reference,
        "jobComplete": True,
        "cacheHit": False,
        "totalBytesProcessed": query_statistics.get("totalBytesProcessed", "0"),
        "queryId": job.name.job,
        "creationTime": statistics["creationTime"],
        "startTime": statistics["startTime"],
        "endTime": statistics["endTime"],
        "statementType": query_statistics["statementType"],
    }
    for key in ("numDmlAffectedRows", "dmlStats"):
        if key in query_statistics:
            answer[key] = query_statistics[key]
    if query_statistics["statementType"] == "SELECT":
        answer |= await _rows(request, job, start, min(count, MOST_ROWS_A_PAGE), int64_timestamps)
    return answer


async def _rows(request: Request, job: Job, start: int, count: int, int64_timestamps: bool) -> dict[str, Any]:
    """One page of the result's rows, from the table that the job wrote."""
    warehouse = warehouse_of(request)
    reference = job.configuration["query"]["destinationTable"]
    table = warehouse.catalog.table(TableName.from_api(reference, job.name.project))
    with warehouse.files.reading(table.files) as paths:
        rows = await warehouse.compute(
            lambda: encoded_rows(
                page(paths, table.schema, start, count), table.schema, int64_timestamps=int64_timestamps
            )
        )
    answer: dict[str, Any] = {"schema": table.resource["schema"], "totalRows": str(table.rows)}
    if rows:
        answer["rows"] = rows
    if start + count < table.rows:
        answer["pageToken"] = str(start + count)
    return answer


ROUTES = [
    Route("/projects/{project}/queries", query, methods=["POST"]),
    Route("/projects/{project}/queries/{job}", results, methods=["GET"]),
]
