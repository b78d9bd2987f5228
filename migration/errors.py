"""What keeps a step of the migration from being taken; nothing has changed then."""

from shared.errors import SyncError


class NotComparable(SyncError):
    """The service's table and the job's cannot be compared as they stand."""
