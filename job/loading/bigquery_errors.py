"""What BigQuery answers instead of a loaded table, as errors: by its reasons, never by its messages.

BigQuery's messages may quote cell values (cloud.google.com/bigquery/docs/error-messages lists the reasons).
"""

from collections.abc import Mapping
from typing import Any

from google.api_core import exceptions

from shared.errors import LoadFailed, LoadRefused, PermissionMissing, ServiceUnavailable, SyncError

# Reasons that can be gone the next time; every other one will be met again.
_PASSING = frozenset(
    {
        "backendError",
        "internalError",
        "jobBackendError",
        "jobInternalError",
        "jobRateLimitExceeded",
        "quotaExceeded",
        "rateLimitExceeded",
        "stopped",
        "tableUnavailable",
        "timeout",
    }
)
_AGAIN = "it is tried again later"
_REMEDIES = {
    "accessDenied": "give the job's identity BigQuery Data Editor on the dataset",
    "notFound": "check that the dataset exists, in the location of the run",
    "billingNotEnabled": "enable billing for the project",
}


def failure(error_result: Mapping[str, Any], destination: str) -> SyncError:
    """The error of a load job that is done and failed; the table is as it was."""
    reason = str(error_result.get("reason") or "unknown")
    if reason in _PASSING:
        return LoadFailed(f"{destination}: the load failed ({reason})", _AGAIN)
    return LoadRefused(f"{destination}: BigQuery refuses the load ({reason})", _remedy(reason))


def translate(error: Exception, destination: str) -> SyncError:
    """The error of a call to BigQuery that was refused, or got no answer."""
    if not isinstance(error, exceptions.GoogleAPICallError):
        return ServiceUnavailable(f"{destination}: BigQuery did not answer ({type(error).__name__})", _AGAIN)
    reasons = [str(each.get("reason")) for each in error.errors or () if isinstance(each, Mapping)]
    reason = reasons[0] if reasons else str(error.code)
    passing = bool(_PASSING.intersection(reasons))
    if passing or isinstance(error, exceptions.ServerError | exceptions.TooManyRequests):
        return ServiceUnavailable(f"{destination}: BigQuery failed to answer ({reason})", _AGAIN)
    if isinstance(error, exceptions.Forbidden | exceptions.Unauthorized):
        return PermissionMissing(f"{destination}: BigQuery refuses the job's identity ({reason})", _access())
    return LoadRefused(f"{destination}: BigQuery refuses the load ({reason})", _remedy(reason))


def _access() -> str:
    return f"{_REMEDIES['accessDenied']}, and BigQuery Job User in the project that jobs run in"


def _remedy(reason: str) -> str:
    return _REMEDIES.get(reason, "`bq show -j` shows BigQuery's own message")
