"""Where a spreadsheet is: the id and the tab in a Google Sheets URL, as people paste it."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import msgspec

_ID = re.compile(r"[A-Za-z0-9_-]+")
# A bare id has to be told from any other word; Google's have 44 characters.
_BARE_ID = re.compile(r"[A-Za-z0-9_-]{10,}")
_PATH = re.compile(r"/(?:a/[^/]+/)?spreadsheets/(?:u/\d+/)?d/(?P<id>[^/]+)(?:/.*)?")
_PUBLISHED = re.compile(r"/(?:a/[^/]+/)?spreadsheets/(?:u/\d+/)?d/e(?:/.*)?")
_GID = re.compile(r"[0-9]{1,18}")
_HOST = "docs.google.com"
_DRIVE = ("drive.google.com", "drive.usercontent.google.com")
_OFFICE = re.compile(r"\.(?:xlsx?|xlsm|xlsb|ods|csv)$", re.IGNORECASE)
_OFFICE_HOSTS = ("sharepoint.com", "onedrive.live.com", "1drv.ms", "office.com", "microsoft365.com")
# What chats and mail programs leave at an address's ends, unseen.
_UNSEEN = "\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{WORD JOINER}\ufeff"
_REMEDY = "paste the address of the open spreadsheet: https://docs.google.com/spreadsheets/d/…/edit#gid=…"


class Spreadsheet(msgspec.Struct, frozen=True):
    """A spreadsheet's id and, where the address names a tab, that tab's `gid` (the API's `sheetId`)."""

    id: str
    gid: int | None = None

    @property
    def own_link(self) -> str:
        """The address that opens it, at the tab that its address names."""
        return self.link(self.gid)

    def link(self, gid: int | None = None, cell: str | None = None) -> str:
        """The address that opens the spreadsheet, at a tab and a cell (`C17`) if given."""
        url = f"https://{_HOST}/spreadsheets/d/{self.id}/edit"
        parts = [f"gid={gid}" if gid is not None else "", f"range={cell}" if cell else ""]
        fragment = "&".join(filter(None, parts))
        return f"{url}#{fragment}" if fragment else url


def parse_url(url: str) -> Spreadsheet:
    """The spreadsheet that a pasted address or bare id names.

    Takes what browsers and people produce: `/edit`, `/edit?usp=sharing`, `/copy`, `/u/1/d/…`, an old
    `/a/domain/` prefix, no scheme, surrounding spaces, a bare id; the tab from `#gid=` or `?gid=`.
    Raises `ValueError` with the reason for anything else.
    """
    text = url.strip().strip(_UNSEEN).strip()
    if _BARE_ID.fullmatch(text):
        return Spreadsheet(id=text)
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        reason = _foreign(parts) or _broken(text)
    except ValueError:
        raise ValueError(f"it is not an address; {_REMEDY}") from None
    match = _PATH.fullmatch(parts.path)
    if reason or match is None:
        raise ValueError(f"{reason or 'it is not the address of a Google spreadsheet'}; {_REMEDY}")
    if not _ID.fullmatch(match["id"]):
        raise ValueError(f"its spreadsheet id has characters that ids never have; {_REMEDY}")
    return Spreadsheet(id=match["id"], gid=_gid(f"{parts.fragment}&{parts.query}"))


def spreadsheet_of(row: Mapping[str, Any] | None) -> Spreadsheet | None:
    """The spreadsheet that a config's row names, if it names one: a portal may have written anything there."""
    url = (row or {}).get("google_sheet_url")
    try:
        return parse_url(url) if isinstance(url, str) else None
    except ValueError:
        return None


def _broken(text: str) -> str | None:
    # urlsplit drops line breaks in silence: two addresses would become one.
    return "it has a space or a line break inside" if any(character.isspace() for character in text) else None


def _foreign(parts: SplitResult) -> str | None:
    """Why the address is of something else than a Google spreadsheet; None where its path decides."""
    host = parts.hostname or ""
    if not host:
        return "it is blank" if not parts.path else "it is not an address"
    if host in _DRIVE:
        return (
            "it is a link to a file in Drive, which does not tell that it is a Google spreadsheet:"
            " open the file, and save an Excel file as Google Sheets first"
        )
    if _OFFICE.search(parts.netloc + parts.path) or host.endswith(_OFFICE_HOSTS):
        return "it is an Office file, not a Google spreadsheet: upload it to Drive and save it as Google Sheets"
    if parts.scheme not in ("http", "https") or host != _HOST:
        return f"it is not an address at {_HOST}"
    if _PUBLISHED.fullmatch(parts.path):
        return "it is a published copy (/d/e/…), which the Sheets API cannot read"
    return None


def _gid(parameters: str) -> int | None:
    """The tab's number; the one behind `#` comes first, which is where the browser keeps the open tab."""
    values = parse_qs(parameters).get("gid", [])
    if values and not _GID.fullmatch(values[0]):
        raise ValueError(f"its gid is not a number, so that no tab is named; {_REMEDY}")
    return int(values[0]) if values else None
