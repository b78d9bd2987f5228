"""The application: BigQuery's paths, the warehouse behind them, and what is opened and closed with it."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from local.bigquery import dataset_api, faults, job_api, query_api, table_api, upload_api
from local.bigquery.copying import run_copy
from local.bigquery.discovery import document
from local.bigquery.errors import BigQueryError, answer_error
from local.bigquery.load import run_load
from local.bigquery.query import run_query
from local.bigquery.runner import Run, Runner
from local.bigquery.warehouse import Warehouse
from local.http import google_app

RUNS: dict[str, Run] = {"LOAD": run_load, "QUERY": run_query, "COPY": run_copy}
DISCOVERY_PATHS = ("/discovery/v1/apis/bigquery/v2/rest", "/$discovery/rest")


async def discovery(request: Request) -> Response:
    """The API's description with this server as its root, as the bq tool asks for it."""
    root = str(request.base_url)
    text = json.dumps(document()).replace("https://bigquery.googleapis.com/", root)
    return Response(text, media_type="application/json")


async def projects(_: Request) -> Response:
    """No project is registered here: any well-formed name is one."""
    return JSONResponse({"kind": "bigquery#projectList", "etag": "", "projects": [], "totalItems": 0})


def bigquery_app(directory: Path, *, load_seconds: float, require_auth: bool, faulty: bool = False) -> Starlette:
    """The server over the data in `directory`; every load job takes at least `load_seconds`.

    Where it is `faulty`, `POST /faults` orders some.
    """

    @contextlib.asynccontextmanager
    async def opened(app: Starlette) -> AsyncIterator[None]:
        warehouse = Warehouse(directory, load_seconds)
        warehouse.recover()
        runner = Runner(warehouse, RUNS)
        app.state.warehouse, app.state.runner = warehouse, runner
        runner.resume()
        try:
            yield
        finally:
            await runner.stop()
            warehouse.close()

    api = [
        *dataset_api.ROUTES,
        *table_api.ROUTES,
        *job_api.ROUTES,
        *query_api.ROUTES,
        Route("/projects", projects),
    ]
    routes = [
        *upload_api.ROUTES,
        *[Route(path, discovery) for path in DISCOVERY_PATHS],
        Mount("/bigquery/v2", routes=api),
        *([faults.ROUTE] if faulty else []),
    ]
    return google_app(
        routes,
        require_auth=require_auth,
        open_paths=("/", *DISCOVERY_PATHS),
        exception_handlers={BigQueryError: answer_error},
        lifespan=opened,
    )
