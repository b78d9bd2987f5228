"""Drive v3's `File` for a spreadsheet of the library."""

import datetime
from typing import Any

from local.sheets.library import OFFICE_FILE, SHARED_DRIVE, Document

SPREADSHEET_TYPE = "application/vnd.google-apps.spreadsheet"
OFFICE_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What files.get answers without a mask.
DEFAULT_FIELDS = "kind,id,name,mimeType"
DRIVE_ID = "0ALocalSharedDrive"


def file_resource(document: Document, sharing: str) -> dict[str, Any]:
    """The file as a Viewer sees it; `sharing` is its state in `sharing.json`."""
    status = document.path.stat()
    if sharing == OFFICE_FILE:
        # Nobody converts it, so that it need not be a workbook that can be read.
        number = status.st_mtime_ns // 1_000_000
        modified = datetime.datetime.fromtimestamp(number / 1000, datetime.UTC)
        kind: dict[str, Any] = {
            "name": document.path.name,
            "mimeType": OFFICE_TYPE,
            "originalFilename": document.path.name,
            "fileExtension": "xlsx",
            "size": str(status.st_size),
        }
    else:
        version = document.current()
        number, modified = version.number, version.modified
        kind = {"name": document.title, "mimeType": SPREADSHEET_TYPE}
    if sharing == SHARED_DRIVE:
        kind["driveId"] = DRIVE_ID
    return {
        "kind": "drive#file",
        "id": document.id,
        **kind,
        "trashed": False,
        "version": str(number),
        "webViewLink": f"https://docs.google.com/spreadsheets/d/{document.id}/edit",
        "modifiedTime": modified.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "shared": True,
        "capabilities": {"canCopy": True, "canDownload": True, "canEdit": False, "canRename": False},
    }
