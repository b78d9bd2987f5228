"""The API's error answers."""

from starlette.responses import JSONResponse

from local.http import google_error


class ApiError(Exception):
    """An answer other than success: HTTP code, canonical status, and a message for the caller."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def response(self) -> JSONResponse:
        return google_error(self.code, self.status, self.status.lower(), str(self))


def does_not_exist(kind: str, name: str) -> ApiError:
    """`kind` is JOB, EXECUTION or TASK; `name` is the resource's whole name."""
    _, project, _, location, *_, short_name = name.split("/")
    where = f"in region '{location}' in project '{project}'"
    return not_found(f"Resource '{short_name}' of kind '{kind}' {where} does not exist.")


def not_found(message: str) -> ApiError:
    return ApiError(404, "NOT_FOUND", message)


def invalid_argument(message: str) -> ApiError:
    return ApiError(400, "INVALID_ARGUMENT", message)


def failed_precondition(message: str) -> ApiError:
    return ApiError(400, "FAILED_PRECONDITION", message)


def too_many_running(limit: int, location: str) -> ApiError:
    message = (
        f"Quota exceeded: {limit} executions are running in region '{location}', the most that may. "
        "Try again when some have ended."
    )
    return ApiError(429, "RESOURCE_EXHAUSTED", message)
