"""What a command's exit code says, and the one line that foreseeable trouble gets: for machines, as JSON too."""

from collections.abc import Callable

from commands.screen import Screen
from shared.errors import InvalidInput, InvalidSettings, SyncError, TableConflict

SUCCEEDED = 0
FAILED = 1
# Usage, settings, or a file: nothing was started. argparse exits with the same.
MISUSED = 2
# As `timeout` of coreutils, and as a shell tells of a SIGINT.
TIMED_OUT = 124
INTERRUPTED = 130


def answer(command: Callable[[], int], screen: Screen) -> int:
    """The command's exit code; an error that it foresees becomes one line and the code that its class stands for."""
    try:
        return command()
    except SyncError as error:
        screen.trouble(f"{error.name}: {error}")
        screen.json({"error": told(error)})
        return code_of(error)
    except KeyboardInterrupt:
        screen.trouble("stopped")
        return INTERRUPTED


def told(error: SyncError) -> dict[str, str]:
    """An error for machines: its `class`, its `message`, and what to do about it, where that is known."""
    remedy = {"remedy": error.remedy} if error.remedy else {}
    return {"class": error.name, "message": error.what} | remedy


def code_of(error: SyncError) -> int:
    misused = isinstance(error, InvalidInput | InvalidSettings) and not isinstance(error, TableConflict)
    return MISUSED if misused else FAILED
