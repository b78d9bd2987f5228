"""BigQuery's side of a load, swallowed: what was uploaded is counted, a job is done at once, no table is kept.

https://cloud.google.com/bigquery/docs/reference/api-uploads tells the two kinds of upload.
"""

import io
import json
import secrets
import time
from email.parser import BytesParser
from typing import Any

import pyarrow.parquet as pq
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.bench.traffic import Traffic
from local.http import google_error

API = "/bigquery/v2/projects/{project}"
UPLOAD = "/upload/bigquery/v2/projects/{project}/jobs"
LOCATION = "US"


class Uploads:
    """Load jobs that come as a multipart or a resumable upload of one Parquet file."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._open: dict[str, tuple[dict[str, Any], bytearray]] = {}
        self._jobs: dict[str, dict[str, Any]] = {}

    def routes(self) -> list[BaseRoute]:
        return [
            Route(UPLOAD, self._begin, methods=["POST"]),
            Route(UPLOAD, self._append, methods=["PUT"]),
            Route(API + "/jobs/{job}", self._job),
            Route(API + "/datasets/{dataset}", self._dataset),
            Route(API + "/datasets/{dataset}/tables/{table}", self._no_table),
        ]

    async def _begin(self, request: Request) -> Response:
        if request.query_params["uploadType"] == "multipart":
            job, file = _parts(request.headers["content-type"], await request.body())
            return self._loaded(request, job, file)
        upload = secrets.token_hex(8)
        self._open[upload] = (await request.json(), bytearray())
        location = request.url.include_query_params(upload_id=upload)
        return Response(headers={"Location": str(location)})

    async def _append(self, request: Request) -> Response:
        """One chunk; `Content-Range: bytes 0-99/*` says that more follow."""
        upload = request.query_params["upload_id"]
        job, file = self._open[upload]
        file.extend(await request.body())
        if request.headers.get("content-range", "").endswith("/*"):
            return Response(status_code=308, headers={"Range": f"bytes=0-{len(file) - 1}"})
        del self._open[upload]
        return self._loaded(request, job, bytes(file))

    def _loaded(self, request: Request, job: dict[str, Any], file: bytes) -> Response:
        rows = pq.read_metadata(io.BytesIO(file)).num_rows
        self._traffic.rows += rows
        now = str(int(time.time() * 1000))
        project = request.path_params["project"]
        given = job.get("jobReference", {})
        reference = {"projectId": project, "location": LOCATION, "jobId": f"job_{secrets.token_hex(8)}", **given}
        statistics = {"inputFiles": "1", "inputFileBytes": str(len(file)), "outputRows": str(rows)}
        times = dict.fromkeys(("creationTime", "startTime", "endTime"), now)
        resource = {
            "kind": "bigquery#job",
            "id": f"{project}:{LOCATION}.{reference['jobId']}",
            "jobReference": reference,
            "configuration": {"jobType": "LOAD", **job["configuration"]},
            "status": {"state": "DONE"},
            "statistics": {**times, "load": {**statistics, "outputBytes": str(len(file)), "badRecords": "0"}},
        }
        self._jobs[reference["jobId"]] = resource
        return JSONResponse(resource)

    async def _job(self, request: Request) -> Response:
        job = self._jobs.get(request.path_params["job"])
        return JSONResponse(job) if job else _not_found("Job", request.path_params["job"])

    async def _dataset(self, request: Request) -> Response:
        project, dataset = request.path_params["project"], request.path_params["dataset"]
        reference = {"projectId": project, "datasetId": dataset}
        return JSONResponse(
            {
                "kind": "bigquery#dataset",
                "id": f"{project}:{dataset}",
                "datasetReference": reference,
                "location": LOCATION,
            }
        )

    async def _no_table(self, request: Request) -> Response:
        return _not_found("Table", request.path_params["table"])


def _parts(content_type: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    """The job and the file of a multipart/related body."""
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = (part.get_payload(decode=True) for part in message.walk() if not part.is_multipart())
    job, file = (part for part in parts if isinstance(part, bytes))
    return json.loads(job), file


def _not_found(kind: str, name: str) -> Response:
    return google_error(404, "NOT_FOUND", "notFound", f"Not found: {kind} {name}")
