"""Uploads: jobs.insert with the data, in one multipart request or by a resumable session.

https://cloud.google.com/bigquery/docs/reference/api-uploads
"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.bigquery.dataset_api import warehouse_of
from local.bigquery.discovery import check_body
from local.bigquery.errors import BigQueryError, invalid
from local.bigquery.insert import Insertion, checked_insertion
from local.bigquery.job_api import start
from local.bigquery.multipart import split_related
from local.bigquery.names import check_project
from local.bigquery.store import from_json, to_json

CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
RESUME_INCOMPLETE = 308


async def upload(request: Request) -> Response:
    """`uploadType` decides: multipart carries all at once, resumable opens a session."""
    match request.query_params.get("uploadType"):
        case "multipart":
            return await _multipart(request)
        case "resumable":
            return await _open_session(request)
        case other:
            raise invalid(f"Invalid uploadType: {other}; use multipart or resumable")


async def _multipart(request: Request) -> Response:
    warehouse = warehouse_of(request)
    path = warehouse.uploads.new(".upload")
    try:
        body = await split_related(request.stream(), request.headers.get("content-type", ""), path)
        insertion = _insertion(request, body)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return await _finish(request, insertion, path)


def _insertion(request: Request, body: bytes) -> Insertion:
    """Raises what BigQuery answers before it takes any data."""
    project = check_project(request.path_params["project"])
    try:
        resource = check_body(json.loads(body), "Job")
    except ValueError as error:
        raise invalid("Invalid JSON payload received. The job is not JSON.") from error
    insertion = checked_insertion(warehouse_of(request), project, resource)
    if "load" not in insertion.configuration:
        raise invalid("Only a load job takes uploaded data")
    return insertion


async def _finish(request: Request, insertion: Insertion, path: Path) -> Response:
    """The data is here: only now the job exists, unless its id was taken meanwhile."""
    try:
        job = await start(request, insertion, path.name)
    except BigQueryError:
        path.unlink(missing_ok=True)
        raise
    return JSONResponse(job.resource)


async def _open_session(request: Request) -> Response:
    """The session's id is the name of the file that collects the data."""
    warehouse = warehouse_of(request)
    body = await request.body()
    _insertion(request, body)
    path = warehouse.uploads.new(".upload")
    path.touch()
    project = request.path_params["project"]
    warehouse.store.run("INSERT INTO uploads VALUES (?, ?, ?)", path.name, project, to_json(json.loads(body)))
    location = request.url.replace(query=f"uploadType=resumable&upload_id={path.name}")
    return Response(headers={"Location": str(location), "X-GUploader-UploadID": path.name})


async def continue_session(request: Request) -> Response:
    """PUT of a chunk (or of nothing, to ask how much has arrived)."""
    warehouse = warehouse_of(request)
    upload_id = request.query_params.get("upload_id", "")
    rows = warehouse.store.rows("SELECT request FROM uploads WHERE id = ?", upload_id)
    if not rows:
        raise BigQueryError(404, "notFound", "Not found: upload session")
    path = warehouse.uploads.path(upload_id)
    first, total = _range(request)
    size = path.stat().st_size
    if first is not None:
        if first > size:
            raise invalid(f"Content-Range begins at {first}, but {size} bytes have arrived")
        size = await _append(request.stream(), path, first)
    if total is None or size < total:
        return Response(status_code=RESUME_INCOMPLETE, headers={"Range": f"bytes=0-{size - 1}"} if size else {})
    if size > total:
        raise invalid(f"Content-Range names {total} bytes in all, but {size} have arrived")
    insertion = _insertion(request, to_json(from_json(rows[0][0])).encode())
    warehouse.store.run("DELETE FROM uploads WHERE id = ?", upload_id)
    return await _finish(request, insertion, path)


def _range(request: Request) -> tuple[int | None, int | None]:
    """The chunk's first byte (None for a status question) and the whole size, if known."""
    header = request.headers.get("content-range")
    if header is None:
        return 0, int(request.headers.get("content-length", 0))
    match = CONTENT_RANGE.fullmatch(header)
    if match is None:
        raise invalid(f"Malformed Content-Range: {header}")
    return (int(match[1]) if match[1] else None), (None if match[3] == "*" else int(match[3]))


async def _append(chunks: AsyncIterator[bytes], path: Path, first: int) -> int:
    """Write the chunk from byte `first` on (a repeated chunk overwrites itself); the answer is the new size."""
    with path.open("r+b") as file:
        file.seek(first)
        async for chunk in chunks:
            file.write(chunk)
        file.truncate()
        return file.tell()


async def drop_session(request: Request) -> Response:
    """DELETE of the session: the upload is given up."""
    warehouse = warehouse_of(request)
    upload_id = request.query_params.get("upload_id", "")
    if warehouse.store.run("DELETE FROM uploads WHERE id = ?", upload_id):
        warehouse.uploads.drop([upload_id])
    return Response(status_code=499)


def _routes(prefix: str) -> list[Route]:
    path = prefix + "/bigquery/v2/projects/{project}/jobs"
    return [
        Route(path, upload, methods=["POST"]),
        Route(path, continue_session, methods=["PUT"]),
        Route(path, drop_session, methods=["DELETE"]),
    ]


ROUTES: list[Any] = [*_routes("/upload"), *_routes("/resumable/upload")]
