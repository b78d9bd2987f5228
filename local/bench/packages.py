"""The habitual way's packages, in a virtual environment of their own: pandas must not be beside the job."""

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
    python = FOLDER / "bin" / "python"
    stamp = FOLDER / "installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
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
