"""The refusals of Sheets v4 and Drive v3, with the bodies that these send."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

# The local system has no Google Cloud project; the real texts name the caller's by number.
CONSUMER = "000000000000"


class Refused(Exception):
    """A request that the API answers with an error body."""

    def __init__(self, code: int, error: Mapping[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = code
        self.error = dict(error)


def sheets_error(code: int, status: str, message: str, *details: Mapping[str, Any]) -> Refused:
    """Sheets v4 tells its errors by `status` and `details`; it sends no `errors` list."""
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        error["details"] = list(details)
    return Refused(code, error)


def drive_error(code: int, reason: str, message: str, **place: str) -> Refused:
    """Drive v3 tells its errors by an `errors` list; it sends no `status`."""
    errors = [{"message": message, "domain": "global", "reason": reason, **place}]
    return Refused(code, {"code": code, "message": message, "errors": errors})


def unknown_spreadsheet() -> Refused:
    return sheets_error(404, "NOT_FOUND", "Requested entity was not found.")


def not_shared() -> Refused:
    return sheets_error(403, "PERMISSION_DENIED", "The caller does not have permission")


def office_file() -> Refused:
    return sheets_error(400, "FAILED_PRECONDITION", "This operation is not supported for this document")


def unknown_file(file_id: str) -> Refused:
    """Drive does not tell a file that is not shared from one that does not exist."""
    message = f"File not found: {file_id}."
    return drive_error(404, "notFound", message, locationType="parameter", location="fileId")


def unparsable_range(text: str) -> Refused:
    return sheets_error(400, "INVALID_ARGUMENT", f"Unable to parse range: {text}")


def beyond_grid(range_text: str, rows: int, columns: int) -> Refused:
    message = f"Range ({range_text}) exceeds grid limits. Max rows: {rows}, max columns: {columns}"
    return sheets_error(400, "INVALID_ARGUMENT", message)


def invalid_field(path: str) -> Refused:
    violation = {
        "field": path,
        "description": f"Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'.",
    }
    detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
    return sheets_error(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", detail)


def invalid_parameter(name: str, value: str) -> Refused:
    return sheets_error(400, "INVALID_ARGUMENT", f"Invalid value at '{name}', \"{value}\"")


def unknown_parameter(name: str) -> Refused:
    message = f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.'
    return sheets_error(400, "INVALID_ARGUMENT", message)


def api_disabled(title: str, service: str) -> Refused:
    """`title` is the API's name for people, `service` its host."""
    url = f"https://console.developers.google.com/apis/api/{service}/overview?project={CONSUMER}"
    message = (
        f"{title} has not been used in project {CONSUMER} before or it is disabled. Enable it by "
        f"visiting {url} then retry. If you enabled this API recently, wait a few minutes for the "
        "action to propagate to our systems and retry."
    )
    detail = _error_info("SERVICE_DISABLED", service=service, consumer=f"projects/{CONSUMER}")
    return sheets_error(403, "PERMISSION_DENIED", message, detail)


def quota_exceeded(reads_per_minute: int) -> Refused:
    message = (
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user' of "
        f"service 'sheets.googleapis.com' for consumer 'project_number:{CONSUMER}'."
    )
    detail = _error_info(
        "RATE_LIMIT_EXCEEDED",
        service="sheets.googleapis.com",
        consumer=f"projects/{CONSUMER}",
        quota_metric="sheets.googleapis.com/read_requests",
        quota_limit="ReadRequestsPerMinutePerUser",
        quota_limit_value=str(reads_per_minute),
        quota_location="global",
    )
    return sheets_error(429, "RESOURCE_EXHAUSTED", message, detail)


def unreadable_file() -> Refused:
    return sheets_error(500, "INTERNAL", "Internal error encountered.")


def _error_info(reason: str, **metadata: str) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": metadata,
    }


async def answer_refusal(_: Request, refused: Refused) -> JSONResponse:
    """Starlette's handler for `Refused`."""
    return JSONResponse({"error": refused.error}, status_code=refused.code)
