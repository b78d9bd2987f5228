"""The HTTP routes of the Cloud Run Admin API v2 that concern running jobs."""

import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.http import google_app
from local.run.errors import ApiError, invalid_argument
from local.run.faults import Faults
from local.run.job import seconds_of
from local.run.overrides import Request as ExecutionRequest
from local.run.overrides import RunJobRequest, WaitRequest
from local.run.runner import Runner
from local.run.service import Resource, Service

# The API's own default and maximum are not documented.
DEFAULT_PAGE_SIZE = 100
LONGEST_PAGE_SIZE = 1000
# A wait without a time-out ends before clients' and proxies' own.
DEFAULT_SECONDS_TO_WAIT = 30.0

Body = TypeVar("Body")
Handler = Callable[[Service, Request], Awaitable[Resource]]

LOCATION = "/v2/projects/{project}/locations/{location}"
JOB = LOCATION + "/jobs/{job}"
EXECUTION = JOB + "/executions/{execution}"
TASK = EXECUTION + "/tasks/{task}"
OPERATION = LOCATION + "/operations/{operation}"


def run_app(service: Service, runner: Runner, *, require_auth: bool, faults: bool = False) -> Starlette:
    """The server; with `faults`, `POST /faults` orders some."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        service.take_up()
        yield
        await runner.stop()

    def route(path: str, handler: Handler, method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            return JSONResponse(await handler(service, request))

        return Route(path, endpoint, methods=[method])

    async def order_faults(request: Request) -> Response:
        runner.faults.order(await _body(request, Faults))
        return JSONResponse(msgspec.to_builtins(runner.faults))

    routes = [
        route(JOB + ":run", _run, "POST"),
        route(JOB, _get_job),
        route(LOCATION + "/jobs", _list_jobs),
        route(EXECUTION + ":cancel", _cancel, "POST"),
        route(EXECUTION, _get_execution),
        route(EXECUTION, _delete, "DELETE"),
        route(JOB + "/executions", _list_executions),
        route(TASK, _get_task),
        route(EXECUTION + "/tasks", _list_tasks),
        route(OPERATION + ":wait", _wait, "POST"),
        route(OPERATION, _get_operation),
    ]
    if faults:
        routes.append(Route("/faults", order_faults, methods=["POST"]))
    return google_app(routes, require_auth=require_auth, exception_handlers={ApiError: _api_error}, lifespan=lifespan)


async def _api_error(_: Request, error: ApiError) -> Response:
    return error.response()


async def _run(service: Service, request: Request) -> Resource:
    return service.run(_name(request), await _body(request, RunJobRequest))


async def _get_job(service: Service, request: Request) -> Resource:
    return service.get_job(_name(request))


async def _list_jobs(service: Service, request: Request) -> Resource:
    return _page(request, "jobs", service.list_jobs(_parent(request)))


async def _cancel(service: Service, request: Request) -> Resource:
    return await service.cancel(_name(request), await _body(request, ExecutionRequest))


async def _get_execution(service: Service, request: Request) -> Resource:
    return service.get_execution(_name(request))


async def _delete(service: Service, request: Request) -> Resource:
    return await service.delete(_name(request), request.query_params.get("validateOnly") == "true")


async def _list_executions(service: Service, request: Request) -> Resource:
    return _page(request, "executions", service.list_executions(_parent(request)))


async def _get_task(service: Service, request: Request) -> Resource:
    return service.get_task(_name(request))


async def _list_tasks(service: Service, request: Request) -> Resource:
    return _page(request, "tasks", service.list_tasks(_parent(request)))


async def _get_operation(service: Service, request: Request) -> Resource:
    return service.get_operation(_name(request))


async def _wait(service: Service, request: Request) -> Resource:
    timeout = (await _body(request, WaitRequest)).timeout
    return await service.wait_operation(_name(request), seconds_of(timeout) if timeout else DEFAULT_SECONDS_TO_WAIT)


def _name(request: Request) -> str:
    """The resource's name: the path without the version and the verb."""
    path = request.url.path.removeprefix("/v2/")
    for verb in (":run", ":cancel", ":wait"):
        path = path.removesuffix(verb)
    return path


def _parent(request: Request) -> str:
    return _name(request).rpartition("/")[0]


async def _body(request: Request, kind: type[Body]) -> Body:
    """The request's body; 400 names the field that is wrong."""
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except msgspec.DecodeError as error:
        raise invalid_argument(f"Invalid JSON payload received. {error}") from error


def _page(request: Request, field: str, resources: list[Resource]) -> Resource:
    """One page of a list; the next one's token holds the name of this one's last resource."""
    size = _page_size(request)
    token = request.query_params.get("pageToken", "")
    begin = _begin(token, resources) if token else 0
    page = resources[begin : begin + size]
    answer: dict[str, Any] = {field: page} if page else {}
    if begin + size < len(resources):
        answer["nextPageToken"] = base64.urlsafe_b64encode(page[-1]["name"].encode()).decode()
    return answer


def _page_size(request: Request) -> int:
    given = request.query_params.get("pageSize", "0")
    if not given.isdecimal():
        raise invalid_argument(f"pageSize must be a whole number, not negative, instead of {given!r}")
    return min(int(given) or DEFAULT_PAGE_SIZE, LONGEST_PAGE_SIZE)


def _begin(token: str, resources: list[Resource]) -> int:
    try:
        last = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError):
        last = ""
    for position, resource in enumerate(resources):
        if resource["name"] == last:
            return position + 1
    raise invalid_argument("The page token is not valid: begin with the first page again")
