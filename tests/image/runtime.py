"""A virtual environment with nothing but pinned packages, as a container's start finds it."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def make_environment(folder: Path) -> Path:
    """An empty virtual environment, without even pip; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


def install(python: Path, requirements: Path) -> None:
    """The packages of a list, by their hashes and nothing else, as Cloud Functions' builder installs them."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--no-deps", "--require-hashes", "--requirement", str(requirements)], check=True)


def path_with_pip() -> str:
    """PATH on which `python3` is this environment's, which has pip, as the base image's has."""
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"
