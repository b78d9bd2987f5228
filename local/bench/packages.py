"""The habitual way's packages, in a virtual environment of their own: pandas must not be beside the job."""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = REPOSITORY / ".venv-bench"


class NotInstalled(Exception):
    """The packages could not be installed."""


def installed_python() -> Path:
    """The Python that has the packages, installed first where they are missing or others.

    Raises NotInstalled with what pip says.
    """
    # One installs, and others wait for it; the lock goes with the process, whatever ends it.
    with REQUIREMENTS.open("rb") as requirements:
        fcntl.flock(requirements, fcntl.LOCK_EX)
        return _install(hashlib.sha256(requirements.read()).hexdigest())


def _install(wanted: str) -> Path:
    """As `installed_python`, for who may install; `wanted` tells one list of packages from another."""
    python = FOLDER / "bin" / "python"
    stamp = FOLDER / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"Installing the packages of {REQUIREMENTS.name} into {FOLDER.name} (half a minute, once) …", flush=True)
    _run([sys.executable, "-m", "venv", "--clear", str(FOLDER)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)])
    stamp.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise NotInstalled(f"{' '.join(command)} failed:\n{ended.stderr.strip()}")
