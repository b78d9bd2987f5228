"""Where a spreadsheet is: the id and the tab in a Google Sheets URL, as people paste it."""

import re
from urllib.parse import parse_qs, urlsplit

import msgspec

_ID = re.compile(r"[A-Za-z0-9_-]{10,}")
_PATH = re.compile(r"^/(?:a/[^/]+/)?spreadsheets/(?:u/\d+/)?d/(?P<id>[^/]+)(?P<rest>/.*)?$")
_HOST = "docs.google.com"
_REMEDY = "paste the address of the open spreadsheet: https://docs.google.com/spreadsheets/d/…/edit#gid=…"


class Spreadsheet(msgspec.Struct, frozen=True):
    """A spreadsheet's id and, where the address names a tab, that tab's `gid` (the API's `sheetId`)."""

    id: str
    gid: int | None = None

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
    text = url.strip()
    if _ID.fullmatch(text):
        return Spreadsheet(id=text)
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError(f"it is not an address; {_REMEDY}") from None
    if parts.scheme not in ("http", "https") or host != _HOST:
        raise ValueError(f"it is not an address at {_HOST}; {_REMEDY}")
    match = _PATH.match(parts.path)
    if match is None:
        raise ValueError(f"it is not the address of a Google spreadsheet; {_REMEDY}")
    if match["id"] == "e":
        raise ValueError(f"it is a published copy (/d/e/…), which the Sheets API cannot read; {_REMEDY}")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", match["id"]):
        raise ValueError(f"its spreadsheet id has characters that ids never have; {_REMEDY}")
    return Spreadsheet(id=match["id"], gid=_gid(f"{parts.fragment}&{parts.query}"))


def _gid(parameters: str) -> int | None:
    values = parse_qs(parameters).get("gid", [])
    return int(values[0]) if values and values[0].isascii() and values[0].isdigit() else None
