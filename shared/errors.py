"""What can go wrong, as classes: the class decides whether trying again can help, never the place that catches it."""


class SyncError(Exception):
    """Something failed, for whom, and what to do about it.

    `what` names the failure and its subject (config, cell, setting) and never quotes a cell's value or a
    credential; `remedy` is a sentence that tells the reader what to do. `str(error)` is both.
    """

    retryable = False

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}: {remedy}" if remedy else what)

    @property
    def name(self) -> str:
        """The class's name, as the ledger and the messages record it."""
        return type(self).__name__

    @property
    def told(self) -> dict[str, str]:
        """For machines: its `class`, its `message`, and what to do about it (`remedy`), where that is known."""
        remedy = {"remedy": self.remedy} if self.remedy else {}
        return {"class": self.name, "message": self.what} | remedy


class InvalidInput(SyncError):
    """Something from outside cannot be understood: a message, an HTTP body, a file."""


class InvalidSettings(SyncError):
    """The process's environment is incomplete or malformed: no fault of a message's or a request's."""


class InvalidConfig(InvalidInput):
    """A config row or file cannot be run as it stands."""


class UnknownConfig(InvalidInput):
    """No config has this id or name."""


class AmbiguousName(InvalidInput):
    """More than one config has this name."""


class TableConflict(InvalidConfig):
    """Two active configs replace the same table."""


class NameTaken(InvalidConfig):
    """Another config has the name: a request by name could mean either."""


class NotOurs(SyncError):
    """The config is paused, or another system owns its table."""


class DatabaseUnavailable(SyncError):
    """PostgreSQL cannot be reached, or the connection broke in the middle."""

    retryable = True


class Overtaken(SyncError):
    """Somebody else changed the same rows at the same moment."""

    retryable = True


class LedgerRefused(SyncError):
    """PostgreSQL refuses a statement: a constraint, or a value that it cannot take."""

    retryable = True


class CredentialsMissing(SyncError):
    """No Google credentials are found."""


class PermissionMissing(SyncError):
    """A Google Cloud service, or PostgreSQL, refuses our identity."""


class ServiceUnavailable(SyncError):
    """A Google Cloud service failed or did not answer; trying again later can help."""

    retryable = True


class ServiceFailed(SyncError):
    """The older service did not load what it was sent, or did not say so."""

    retryable = True


class TableBusy(SyncError):
    """Somebody else may be writing the table at this moment."""

    retryable = True


class WrongPhase(SyncError):
    """The config has another owner than this step of the migration begins with."""


class NotProved(SyncError):
    """There were not enough comparisons in a row that matched, or the newest says nothing."""


class ServiceAtWork(SyncError):
    """The older service may be loading the table at this moment."""

    retryable = True


class LaunchRefused(SyncError):
    """Cloud Run definitely did not start an execution."""

    retryable = True


class ExecutionFailed(SyncError):
    """The execution ended, or its deadline passed, without a load."""

    retryable = True


class LoadFailed(SyncError):
    """BigQuery's load job ended with an error; the table is as it was."""

    retryable = True


class LoadRefused(SyncError):
    """BigQuery refuses the load as it stands, and will refuse it again."""


class AttemptClosed(SyncError):
    """The attempt's BigQuery job id is taken: this execution must not write; the run's next attempt may."""

    retryable = True
