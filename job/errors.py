"""What can be wrong with a sheet, told apart, so that the person who can mend it knows what to do."""

import traceback
from pathlib import Path

from shared.errors import InvalidInput, PermissionMissing, ServiceUnavailable, SyncError
from shared.loaded import ColumnChange


class SheetNotShared(PermissionMissing):
    """The spreadsheet is not shared with the job's address."""


class SheetNotFound(SyncError):
    """No spreadsheet has this id: it was deleted, or the address is wrong."""


class NotAGoogleSheet(InvalidInput):
    """The file is something else, most often an Excel file that lies in Drive."""


class TabNotFound(InvalidInput):
    """The spreadsheet has no tab of this name or gid."""


class RangeNotFound(InvalidInput):
    """The config's range or header row means no cells of its tab."""


class NotAGrid(InvalidInput):
    """The tab has no cells of its own: a chart, or a connected sheet."""


class ApiDisabled(PermissionMissing):
    """The Sheets or the Drive API is not switched on in the job's project."""


class ReadRefused(SyncError):
    """Sheets or Drive refuses a request for a reason that this version does not know."""


class EmptySheet(SyncError):
    """The tab has no rows below its header; the table is left as it was."""

    @classmethod
    def of(cls, subject: str) -> "EmptySheet":
        return cls(
            f"{subject}: the tab has no rows below its header",
            "restore the sheet; if it is meant to be empty, set the option on_empty to keep or empty",
        )


class SchemaViolated(InvalidInput):
    """Cells that the config's custom schema, or a table whose columns stay, does not allow; it is left as it was."""


class SchemaDrifted(SyncError):
    """The table has other columns than the sheet, in a way that the config does not allow; it is left as it was.

    `changes` are the differences, with names: for the ledger alone.
    """

    changes: tuple[ColumnChange, ...] = ()


class SheetShrank(SyncError):
    """The sheet has so many rows less than its table that the config's `max_shrink` forbids the load."""


class OptionRefused(InvalidInput):
    """An option of the config does not fit the sheet, or its table; the table is left as it was."""


class KeysViolated(InvalidInput):
    """Rows that the config's `merge_keys` do not tell apart; the table is left as it was."""


class TooManyErrors(InvalidInput):
    """More cells are in error than the config's max_error_cells; the table is left as it was."""


class HeaderRefused(InvalidInput):
    """Headers that no column can be named after as they stand; the table is left as it was."""


class QuotaExceeded(ServiceUnavailable):
    """Google's limit of reads per minute held longer than the job may wait."""


class SheetsUnavailable(ServiceUnavailable):
    """Sheets or Drive failed, or did not answer, for longer than the job may wait."""


class ReadTimedOut(SheetsUnavailable):
    """A read takes longer than Google or the client waits: a smaller one can succeed."""


class UnstableSheet(SyncError):
    """People edit the spreadsheet faster than it can be read in one state."""

    retryable = True


class UnexpectedFailure(SyncError):
    """Something that nobody foresaw; the error names the place in the code."""

    retryable = True

    @classmethod
    def of(cls, error: BaseException) -> "UnexpectedFailure":
        """By the exception's type and place: its message may quote a cell's value."""
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        place = " < ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in reversed(frames))
        return cls(f"{type(error).__name__} at {place}", "report it, with this message")
