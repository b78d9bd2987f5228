"""What Sheets and Drive answer instead of cells, as errors that say whom to ask for what."""

import json
from typing import TYPE_CHECKING, Any

import msgspec

from job.errors import (
    ApiDisabled,
    NotAGoogleSheet,
    QuotaExceeded,
    ReadRefused,
    ReadTimedOut,
    SheetNotFound,
    SheetNotShared,
    SheetsUnavailable,
)
from shared.clients import SCOPES
from shared.config import Config
from shared.errors import PermissionMissing, SyncError

if TYPE_CHECKING:
    from googleapiclient.errors import HttpError

# developers.google.com/workspace/drive/api/guides/handle-errors: 403s that mean "slower", not "no".
_RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
_DISABLED_REASONS = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
# What a person's own login answers that was made without the scopes for Sheets and Drive.
_SCOPE_REASONS = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
# The time-outs of Google's proxies and of the client (408 is also what a slow upload gets).
_TIMED_OUT = frozenset({408, 504})


class Subject(msgspec.Struct, frozen=True):
    """For whom a sheet is read, as errors name it: the config, and the address that sheets are shared with."""

    config: str
    identity: str

    @classmethod
    def of(cls, config: Config, identity: str) -> "Subject":
        number = f" {config.id}" if config.id is not None else ""
        return cls(f'config{number} "{config.name}"', identity)


def translate(error: "HttpError", subject: Subject) -> SyncError:
    """The error that an answer of Sheets or Drive stands for. Google's own message stays out: it can quote ranges."""
    status = int(error.resp.status)
    reasons = _reasons(error.content)
    who = subject.config
    if status == 429 or (status == 403 and reasons & _RATE_REASONS):
        return QuotaExceeded(
            f"{who}: Google's quota of reads per minute is used up",
            "it is tried again later; raise the quota of Sheets reads, or spread the schedule",
        )
    if status in _TIMED_OUT:
        return ReadTimedOut(f"{who}: Google did not finish a read ({status})", "it is tried again later")
    if status >= 500:
        return SheetsUnavailable(f"{who}: Google failed to answer ({status})", "it is tried again later")
    if status == 401:
        return PermissionMissing(f"{who}: Google does not accept the job's credentials", "check them with `doctor`")
    if status == 403 and reasons & _DISABLED_REASONS:
        return ApiDisabled(
            f"{who}: the Google Sheets API or the Google Drive API is not enabled in the job's project",
            "run `gcloud services enable sheets.googleapis.com drive.googleapis.com`",
        )
    if status == 403 and reasons & _SCOPE_REASONS:
        return PermissionMissing(
            f"{who}: the job's credentials may not be used to read spreadsheets",
            f"run `gcloud auth application-default login --scopes={','.join(SCOPES)}`, or run as a service account",
        )
    if status == 403:
        return SheetNotShared(f"{who}: the spreadsheet is not shared with the job", _share_with(subject.identity))
    if status == 404:
        return SheetNotFound(
            f"{who}: no spreadsheet has this address (deleted, or mistyped)",
            f"correct google_sheet_url; if it exists, {_share_with(subject.identity)}",
        )
    if "FAILED_PRECONDITION" in reasons or "failedPrecondition" in reasons:
        return not_a_google_sheet(subject)
    return ReadRefused(
        f"{who}: Google refuses to read the tab ({status}{_listed(reasons)})", "report it, with this message"
    )


def not_a_google_sheet(subject: Subject) -> NotAGoogleSheet:
    return NotAGoogleSheet(
        f"{subject.config}: the file is not a Google spreadsheet (most often: an Excel file in Drive)",
        "open it in Google Sheets, File > Save as Google Sheets, and use the new address",
    )


def _share_with(identity: str) -> str:
    return f"share the spreadsheet with {identity or 'the address that the job runs as'} as Viewer"


def _reasons(content: bytes) -> set[str]:
    """Every status and reason in Google's error body; none where the body is something else."""
    try:
        error = json.loads(content)["error"]
        details: list[dict[str, Any]] = [*error.get("errors", []), *error.get("details", [])]
        found = {error.get("status"), *(each.get("reason") for each in details)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()
    return {each for each in found if isinstance(each, str)}


def _listed(reasons: set[str]) -> str:
    return f", {', '.join(sorted(reasons))}" if reasons else ""
