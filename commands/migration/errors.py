"""Why a step of the migration is not taken; nothing was changed then."""

from shared.errors import SyncError


class NotStarted(SyncError):
    """The configs table has no marks of owners."""


class TableMissing(SyncError):
    """The older service has made no table to stand beside."""


class DatasetMisplaced(SyncError):
    """The dataset for shadows cannot be compared with the service's."""


class RunsOpen(SyncError):
    """Runs are open that would be left behind."""
