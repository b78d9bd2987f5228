"""The Python that has the packages, and its end: cron and people start what is typed with whichever Python there is.

Only the standard library, and nothing newer than Python 3.8, so that it can say what is missing.
"""

import contextlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

_OLDEST = (3, 11)
# As a shell tells of a SIGPIPE.
_CUT_OFF = 141
_FOLDER = Path(__file__).resolve().parent.parent


def use_right_interpreter() -> None:
    """Goes on in the project's own virtual environment where this Python lacks the packages.

    The guide's cron line names `/usr/bin/python3`, which has none. Ends the process with 2, and says what to
    do, where there is no such environment.
    """
    if sys.version_info >= _OLDEST and importlib.util.find_spec("msgspec") is not None:
        return
    own = _FOLDER / ".venv" / "bin" / "python"
    if own.exists() and Path(sys.prefix) != _FOLDER / ".venv":
        # What `python -m` found is a file, too, but goes on as a module, with the same folder in front of its path.
        spec = sys.modules["__main__"].__spec__
        started = sys.argv if spec is None else ["-m", spec.name, *sys.argv[1:]]
        # The same process goes on: exit code, signals and standard streams stay the caller's.
        os.execv(own, [str(own), *started])  # noqa: S606  (no shell is wanted)
    found = "{}.{}".format(*sys.version_info)
    sys.stderr.write(
        f"MissingPackages: {sys.executable} is Python {found} without this project's packages: make an environment"
        f" of Python 3.11 or newer and install them: python3 -m venv {_FOLDER}/.venv &&"
        f" {_FOLDER}/.venv/bin/pip install --no-deps --require-hashes -r {_FOLDER}/requirements.txt\n"
    )
    sys.exit(2)


def leave_after(command: "Callable[[], int]") -> NoReturn:
    """Ends the process with the command's code, at once when its streams are written: nothing is left to do, and taking
    all that it has loaded apart before the kernel takes it whole is a sixth of an execution's CPU (0.12 s of 0.7 s,
    measured).
    """
    try:
        code = command()
    except SystemExit as ended:  # as argparse ends
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BrokenPipeError:  # who reads it has read enough, as `| head` does
        code = _CUT_OFF
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):  # where nobody reads it any more
            stream.flush()
    os._exit(code)
