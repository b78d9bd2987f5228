"""BigQuery's errors: https://cloud.google.com/bigquery/docs/error-messages."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from local.http import STATUS_OF_CODE, google_error


class BigQueryError(Exception):
    """An error as BigQuery reports it: as an HTTP answer, or as a job's `errorResult`."""

    def __init__(self, code: int, reason: str, message: str, location: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.location = location

    def as_proto(self) -> dict[str, str]:
        """The ErrorProto that `status.errorResult` and `status.errors` hold."""
        proto = {"reason": self.reason, "message": self.message}
        return proto | {"location": self.location} if self.location else proto

    def as_response(self) -> JSONResponse:
        status = STATUS_OF_CODE.get(self.code, "UNKNOWN")
        return google_error(self.code, status, self.reason, self.message)


CODE_OF_REASON = {
    "notFound": 404,
    "duplicate": 409,
    "accessDenied": 403,
    "notImplemented": 501,
    "backendError": 503,
    "internalError": 500,
}


def from_proto(proto: dict[str, str]) -> BigQueryError:
    """The error that a failed job's `errorResult` describes, as getQueryResults answers it."""
    code = CODE_OF_REASON.get(proto["reason"], 400)
    return BigQueryError(code, proto["reason"], proto["message"], proto.get("location"))


def not_found(kind: str, name: object, where: str = "") -> BigQueryError:
    return BigQueryError(404, "notFound", f"Not found: {kind} {name}{where}")


def already_exists(kind: str, name: object) -> BigQueryError:
    return BigQueryError(409, "duplicate", f"Already Exists: {kind} {name}")


def invalid(message: str, location: str | None = None) -> BigQueryError:
    return BigQueryError(400, "invalid", message, location)


def invalid_query(message: str) -> BigQueryError:
    return BigQueryError(400, "invalidQuery", message, "query")


def not_implemented(message: str) -> BigQueryError:
    """What BigQuery can do and this server cannot: said, never passed over."""
    return BigQueryError(501, "notImplemented", f"{message}: the local BigQuery server does not support it")


def precondition_failed() -> BigQueryError:
    return BigQueryError(412, "conditionNotMet", "Precondition Failed")


async def answer_error(_: Request, error: BigQueryError) -> JSONResponse:
    return error.as_response()
