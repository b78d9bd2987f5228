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
        screen.json({"error": error.told})
        return code_of(error)
    except KeyboardInterrupt:
        screen.trouble("stopped")
        return INTERRUPTED


def code_of(error: SyncError) -> int:
    misused = isinstance(error, InvalidInput | InvalidSettings) and not isinstance(error, TableConflict)
    return MISUSED if misused else FAILED
