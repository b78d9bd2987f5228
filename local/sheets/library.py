"""The folder of .xlsx files: which spreadsheet is which file, and what of it has changed."""

import datetime
import hashlib
import json
import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from local.sheets.spreadsheet import Spreadsheet
from local.sheets.xlsx import read_spreadsheet

log = logging.getLogger("local.sheets")

SHARING_FILE = "sharing.json"
SHARED = "shared"
NOT_SHARED = "not_shared"
SHARED_DRIVE = "shared_drive"
OFFICE_FILE = "office_file"
API_DISABLED = "api_disabled"
SHARING_STATES = (SHARED, NOT_SHARED, SHARED_DRIVE, OFFICE_FILE, API_DISABLED)
_VALID_ID = re.compile(r"[A-Za-z0-9_-]+")


class NoWorkbook(Exception):
    """The file is there, but it is no workbook that can be read, and none that could be was seen before."""


@dataclass(frozen=True)
class Version:
    """One state of a file: its content, and Drive's `version` and `modifiedTime`, which only increase."""

    spreadsheet: Spreadsheet
    number: int
    modified: datetime.datetime


@dataclass
class Document:
    """A spreadsheet of the library; `current` reads its file again when that has changed."""

    id: str
    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: tuple[int, int, int] | None = None
    _version: Version | None = None

    @property
    def title(self) -> str:
        return self.path.stem

    def current(self) -> Version:
        """The newest state that could be read; a file half written is tried again with the next request.

        Raises FileNotFoundError if the file is gone, NoWorkbook if it was never readable.
        """
        with self._lock:
            status = self.path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if self._version is None or seen != self._seen:
                self._version = self._read_again(seen)
            return self._version

    def _read_again(self, seen: tuple[int, int, int]) -> Version:
        try:
            spreadsheet = read_spreadsheet(self.path.read_bytes(), self.path.name)
        except FileNotFoundError:
            raise
        except Exception as error:  # whatever a half-written package makes the parsers raise
            log.warning("%s cannot be read as a workbook (%s)", self.path.name, type(error).__name__)
            if self._version is None:
                raise NoWorkbook(self.path.name) from error
            return self._version
        # From the file's time, so that versions increase across restarts too; never back, if that goes back.
        milliseconds = seen[0] // 1_000_000
        if self._version is not None:
            milliseconds = max(milliseconds, self._version.number + 1)
        modified = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
        self._seen = seen
        return Version(spreadsheet, milliseconds, modified)


class Library:
    """The spreadsheets of a folder, found anew at each request."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._documents: dict[str, Document] = {}
        self._lock = threading.Lock()
        self._sharing = Sharing(folder / SHARING_FILE)

    def sharing(self, spreadsheet_id: str) -> str:
        return self._sharing.state(spreadsheet_id)

    def document(self, spreadsheet_id: str) -> Document | None:
        """The spreadsheet with that id, if its file is there."""
        with self._lock:
            known = self._documents.get(spreadsheet_id)
            if known is None or not known.path.exists():
                known = self._find(spreadsheet_id)
            return known

    def documents(self) -> Iterator[Document]:
        """All spreadsheets of the folder, by file name."""
        for path in self._files():
            found = self.document(spreadsheet_id(path.stem))
            if found is not None:
                yield found

    def _find(self, wanted: str) -> Document | None:
        self._documents.pop(wanted, None)
        plain = self.folder / f"{wanted}.xlsx"
        if _VALID_ID.fullmatch(wanted) and plain.is_file():
            path: Path | None = plain
        else:
            path = next((path for path in self._files() if spreadsheet_id(path.stem) == wanted), None)
        return None if path is None else self._documents.setdefault(wanted, Document(wanted, path))

    def _files(self) -> list[Path]:
        """Not the lock files that spreadsheet programs leave beside what they edit."""
        found = (path for path in self.folder.iterdir() if not path.name.startswith(("~$", ".")))
        return sorted(path for path in found if path.suffix.lower() == ".xlsx")


def spreadsheet_id(stem: str) -> str:
    """A file name's id: itself if it is one, else what it can keep of itself and a hash."""
    if _VALID_ID.fullmatch(stem):
        return stem
    kept = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_")
    return f"{kept}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}".lstrip("-")


class Sharing:
    """`sharing.json`: spreadsheet ids and one of `SHARING_STATES` each; what is not named is shared."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._states: dict[str, str] = {}

    def state(self, spreadsheet_id: str) -> str:
        with self._lock:
            self._read_if_changed()
            return self._states.get(spreadsheet_id, SHARED)

    def _read_if_changed(self) -> None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._seen, self._states = None, {}
            return
        seen = (status.st_mtime_ns, status.st_size)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._states = _sharing_states(self.path.read_text(encoding="utf-8"))
        except ValueError as error:
            log.warning("%s is not used, what it said before holds: %s", self.path, error)


def _sharing_states(text: str) -> dict[str, str]:
    states = json.loads(text)
    if not isinstance(states, dict):
        raise ValueError('it has to be an object such as {"sales": "not_shared"}')
    for name, state in states.items():
        if state not in SHARING_STATES:
            raise ValueError(f"{name!r} has to be one of {', '.join(SHARING_STATES)}, not {state!r}")
    return states
