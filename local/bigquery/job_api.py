"""The jobs endpoints: https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.bigquery.dataset_api import warehouse_of
from local.bigquery.errors import invalid, not_implemented
from local.bigquery.insert import Insertion, accept, checked_insertion
from local.bigquery.jobs import DONE, Job
from local.bigquery.names import check_project
from local.bigquery.query import dry_run
from local.bigquery.requests import json_body, number, one_page
from local.bigquery.runner import Runner

# How long an insert waits for its job before answering: most jobs here are done by then, and nobody has to poll.
SECONDS_BEFORE_ANSWER = 0.2
LIST_KEYS = ("kind", "id", "jobReference", "status", "statistics", "user_email")


def runner_of(request: Request) -> Runner:
    runner: Runner = request.app.state.runner
    return runner


def job_of(request: Request) -> Job:
    """By id and location. Raises notFound."""
    project = check_project(request.path_params["project"])
    return warehouse_of(request).jobs.get(project, request.path_params["job"], request.query_params.get("location"))


async def start(request: Request, insertion: Insertion, upload: str | None) -> Job:
    """Accept the job, start it, and wait a little for it."""
    warehouse, runner = warehouse_of(request), runner_of(request)
    job = accept(warehouse, insertion, upload)
    runner.start(job)
    await runner.wait(job.name, SECONDS_BEFORE_ANSWER)
    return warehouse.jobs.get(job.name.project, job.name.job, job.name.location)


async def insert(request: Request) -> Response:
    warehouse = warehouse_of(request)
    project = check_project(request.path_params["project"])
    body = await json_body(request, "Job")
    insertion = checked_insertion(warehouse, project, body)
    if "load" in insertion.configuration:
        raise invalid("Load configuration must specify at least one source URI, or the data be uploaded")
    if insertion.configuration.get("dryRun") in (True, "true"):
        return JSONResponse(await _dry_run(request, insertion))
    job = await start(request, insertion, None)
    return JSONResponse(job.resource)


async def _dry_run(request: Request, insertion: Insertion) -> dict[str, Any]:
    """A dry run is no job: nothing is kept of it."""
    if "query" not in insertion.configuration:
        raise not_implemented("A dry run of anything but a query")
    name = insertion.name
    statistics = await dry_run(warehouse_of(request), name.project, name.location, insertion.configuration)
    return {
        "kind": "bigquery#job",
        "jobReference": {"projectId": name.project, "location": name.location},
        "configuration": insertion.configuration,
        "status": {"state": DONE},
        "statistics": statistics,
    }


async def get(request: Request) -> Response:
    return JSONResponse(job_of(request).resource)


async def cancel(request: Request) -> Response:
    await runner_of(request).cancel(job_of(request))
    return JSONResponse({"kind": "bigquery#jobCancelResponse", "job": job_of(request).resource})


async def delete(request: Request) -> Response:
    """Removes the metadata of a job that is done."""
    job = job_of(request)
    if not job.is_done:
        raise invalid(f"Job {job.name} is not done: cancel it or wait for it")
    warehouse_of(request).jobs.delete(job)
    return Response(status_code=204)


async def list_(request: Request) -> Response:
    """Newest first; filters by state and creation time, as in the reference."""
    jobs = warehouse_of(request).jobs.of_project(check_project(request.path_params["project"]))
    states = [state.upper() for state in request.query_params.getlist("stateFilter")]
    earliest, latest = number(request, "minCreationTime", 0), number(request, "maxCreationTime", 0)
    found = [
        job
        for job in jobs
        if (not states or job.state in states)
        and int(job.resource["statistics"]["creationTime"]) >= earliest
        and (not latest or int(job.resource["statistics"]["creationTime"]) <= latest)
    ]
    page, token = one_page(request, found, default=50)
    full = request.query_params.get("projection", "").lower() == "full"
    items = [_listed(job, full) for job in page]
    return JSONResponse({"kind": "bigquery#jobList", "etag": "", "jobs": items, **token})


def _listed(job: Job, full: bool) -> dict[str, Any]:
    keys = (*LIST_KEYS, "configuration") if full else LIST_KEYS
    error = {"errorResult": job.error} if job.error else {}
    return {**{key: job.resource[key] for key in keys if key in job.resource}, "state": job.state, **error}


JOBS = "/projects/{project}/jobs"
ROUTES = [
    Route(JOBS, insert, methods=["POST"]),
    Route(JOBS, list_, methods=["GET"]),
    Route(JOBS + "/{job}", get, methods=["GET"]),
    Route(JOBS + "/{job}/cancel", cancel, methods=["POST"]),
    Route(JOBS + "/{job}/delete", delete, methods=["DELETE"]),
]
