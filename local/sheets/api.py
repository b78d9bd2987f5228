"""The HTTP side: Sheets v4's reads and Drive v3's `files.get`, from request to answer."""

from collections.abc import Collection
from typing import Any

import msgspec
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.sheets import drive, library, values
from local.sheets.errors import (
    answer_refusal,
    api_disabled,
    drive_error,
    invalid_field,
    invalid_parameter,
    not_shared,
    office_file,
    quota_exceeded,
    unknown_file,
    unknown_parameter,
    unknown_spreadsheet,
    unreadable_file,
)
from local.sheets.fields import InvalidMask, Mask, apply_mask, parse_mask, selects
from local.sheets.quota import Quota
from local.sheets.resource import spreadsheet_resource

# Every method takes these: https://cloud.google.com/apis/docs/system-parameters.
SYSTEM_PARAMETERS = {"alt", "fields", "key", "prettyPrint", "quotaUser", "access_token", "$.xgafv"}
RENDERING = {
    "majorDimension": ("DIMENSION_UNSPECIFIED", values.ROWS, values.COLUMNS),
    "valueRenderOption": (values.FORMATTED_VALUE, values.UNFORMATTED_VALUE, values.FORMULA),
    "dateTimeRenderOption": (values.SERIAL_NUMBER, values.FORMATTED_STRING),
}
# Large answers are many megabytes of JSON: more effort costs seconds and saves little.
GZIP_LEVEL = 1
GZIP_FROM_BYTES = 500

COMPRESSION = Middleware(GZipMiddleware, minimum_size=GZIP_FROM_BYTES, compresslevel=GZIP_LEVEL)


class Api:
    """Answers for one library of spreadsheets."""

    def __init__(self, spreadsheets: library.Library, quota: Quota) -> None:
        self.library = spreadsheets
        self.quota = quota

    def routes(self) -> list[BaseRoute]:
        """Most specific first: a range can hold a slash, and an id ends at a colon."""
        return [
            Route("/v4/spreadsheets/{id}/values:batchGet", self.values_batch_get, methods=["GET"]),
            Route("/v4/spreadsheets/{id}/values/{range:path}", self.values_get, methods=["GET"]),
            Route("/v4/spreadsheets/{id}", self.spreadsheets_get, methods=["GET"]),
            Route("/drive/v3/files/{id}", self.files_get, methods=["GET"]),
            # Where the client calls it if its api_endpoint is the host alone.
            Route("/files/{id}", self.files_get, methods=["GET"]),
        ]

    def values_get(self, request: Request) -> Response:
        """https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/get"""
        mask = _mask(request, "ValueRange", RENDERING)
        rendering = _rendering(request)
        spreadsheet = self._document(request).current().spreadsheet
        area = spreadsheet.area(request.path_params["range"])
        return _json(request, values.value_range(spreadsheet, area, rendering), mask)

    def values_batch_get(self, request: Request) -> Response:
        """https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/batchGet"""
        mask = _mask(request, "BatchGetValuesResponse", {"ranges", *RENDERING})
        rendering = _rendering(request)
        document = self._document(request)
        spreadsheet = document.current().spreadsheet
        areas = [spreadsheet.area(text) for text in request.query_params.getlist("ranges")]
        answer: dict[str, Any] = {"spreadsheetId": document.id}
        if areas:
            answer["valueRanges"] = [values.value_range(spreadsheet, area, rendering) for area in areas]
        return _json(request, answer, mask)

    def spreadsheets_get(self, request: Request) -> Response:
        """https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/get"""
        known = {"ranges", "includeGridData", "commentsViewMode", "excludeTablesInBandedRanges"}
        mask = _mask(request, "Spreadsheet", known)
        document = self._document(request)
        spreadsheet = document.current().spreadsheet
        areas = [spreadsheet.area(text) for text in request.query_params.getlist("ranges")]
        # "This parameter is ignored if a field mask was set in the request."
        grid_data = selects(mask, "sheets", "data") if mask else _boolean(request, "includeGridData")
        answer = spreadsheet_resource(
            spreadsheet, document.id, document.title, areas=areas, mask=mask, grid_data=grid_data
        )
        return _json(request, answer, mask)

    def files_get(self, request: Request) -> Response:
        """https://developers.google.com/workspace/drive/api/reference/rest/v3/files/get"""
        file_id = request.path_params["id"]
        document = self.library.document(file_id)
        state = self.library.sharing(file_id)
        if state == library.API_DISABLED:
            raise api_disabled("Google Drive API", "drive.googleapis.com")
        in_shared_drive = state == library.SHARED_DRIVE
        if document is None or state == library.NOT_SHARED:
            raise unknown_file(file_id)
        if in_shared_drive and not _boolean(request, "supportsAllDrives"):
            raise unknown_file(file_id)
        try:
            mask = parse_mask(request.query_params.get("fields", drive.DEFAULT_FIELDS), "drive.v3", "File")
        except InvalidMask as error:
            message = f"Invalid field selection {error}"
            raise drive_error(400, "invalidParameter", message, locationType="parameter", location="fields") from error
        return _json(request, drive.file_resource(document, state), mask)

    def _document(self, request: Request) -> library.Document:
        """The request's spreadsheet, if the caller may read it and the quota allows."""
        if not self.quota.take():
            raise quota_exceeded(self.quota.reads_per_minute or 0)
        spreadsheet_id = request.path_params["id"]
        state = self.library.sharing(spreadsheet_id)
        if state == library.API_DISABLED:
            raise api_disabled("Google Sheets API", "sheets.googleapis.com")
        document = self.library.document(spreadsheet_id)
        if document is None:
            raise unknown_spreadsheet()
        if state == library.NOT_SHARED:
            raise not_shared()
        if state == library.OFFICE_FILE:
            raise office_file()
        return document


def _mask(request: Request, message: str, known: Collection[str]) -> Mask:
    """The request's field mask, empty if it has none; refuses parameters that the method does not know."""
    for name in request.query_params:
        if name not in known and name not in SYSTEM_PARAMETERS:
            raise unknown_parameter(name)
    alternative = request.query_params.get("alt", "json")
    if alternative != "json":
        raise invalid_parameter("alt", alternative)
    text = request.query_params.get("fields", "")
    if not text or text == "*":
        return {}
    try:
        return parse_mask(text, "sheets.v4", message)
    except InvalidMask as error:
        raise invalid_field(str(error)) from error


def _rendering(request: Request) -> values.Rendering:
    chosen: list[str] = []
    for name, allowed in RENDERING.items():
        value = request.query_params.get(name, allowed[0])
        if value not in allowed:
            raise invalid_parameter(name, value)
        chosen.append(value)
    dimension, value_option, dates = chosen
    if dimension == "DIMENSION_UNSPECIFIED":
        dimension = values.ROWS
    return values.Rendering(dimension, value_option, dates)


def _boolean(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false").lower()
    if value not in ("true", "false"):
        raise invalid_parameter(name, value)
    return value == "true"


def _json(request: Request, answer: dict[str, Any], mask: Mask) -> Response:
    """The answer as JSON, indented unless the request says `prettyPrint=false`."""
    body = msgspec.json.encode(apply_mask(answer, mask))
    if request.query_params.get("prettyPrint", "true").lower() != "false":
        body = msgspec.json.format(body, indent=2)
    return Response(body, media_type="application/json; charset=UTF-8")


async def answer_no_workbook(request: Request, _: library.NoWorkbook) -> Response:
    return await answer_refusal(request, unreadable_file())


async def answer_file_gone(request: Request, _: FileNotFoundError) -> Response:
    """A file that was deleted between being found and being read."""
    return await answer_refusal(request, unknown_spreadsheet())
