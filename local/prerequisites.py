"""What has to be on the machine before anything is installed; each missing part is told with its remedy.

`make` runs it with the system's Python, however old: standard library only, no syntax newer than 3.7.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OLDEST_PYTHON = (3, 11)
EMULATOR_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
# Where Google's packages and its installer put the SDK when gcloud is not on PATH.
USUAL_SDK_FOLDERS = ("/usr/lib/google-cloud-sdk", "/opt/google-cloud-sdk", "/snap/google-cloud-cli/current")

# By which of them the console is tested: Debian's, or the one that other systems have.
CHROMIUMS = ("chromium", "google-chrome")
# What another apt-get that runs just now may take.
_LOCK_SECONDS = 120


def find_java(environ: Mapping[str, str]) -> str | None:
    """The `java` to start: JAVA_HOME's, else the first on PATH."""
    home = environ.get("JAVA_HOME")
    return (shutil.which("java", path=f"{home}/bin") if home else None) or shutil.which(
        "java", path=environ.get("PATH", os.defpath)
    )


def find_emulator_jar(sdks: Sequence[Path]) -> str | None:
    """The newest Pub/Sub emulator of the first of these gcloud SDKs that has one."""
    for sdk in sdks:
        jars = sorted(sdk.glob(EMULATOR_JAR))
        if jars:
            return str(jars[-1])
    return None


def find_chromium(environ: Mapping[str, str]) -> str | None:
    """The Chromium that the console is tested in: the first on PATH."""
    found = (shutil.which(name, path=environ.get("PATH", os.defpath)) for name in CHROMIUMS)
    return next((path for path in found if path), None)


def sdk_folders(environ: Mapping[str, str]) -> list[Path]:
    """Where a gcloud SDK may be, the likeliest first; gcloud itself is not asked: it takes a second."""
    folders = [Path(folder) for folder in USUAL_SDK_FOLDERS]
    gcloud = shutil.which("gcloud", path=environ.get("PATH", os.defpath))
    if gcloud:
        folders.insert(0, Path(gcloud).resolve().parent.parent)
    if environ.get("CLOUDSDK_ROOT_DIR"):
        folders.insert(0, Path(environ["CLOUDSDK_ROOT_DIR"]))
    if environ.get("HOME"):
        folders.append(Path(environ["HOME"], "google-cloud-sdk"))
    return folders


def missing_for_python() -> list[str]:
    """What the virtual environment lacks, each with a remedy."""
    if not sys.platform.startswith("linux"):
        return ["Linux is needed: the local system relies on its process groups and parent-death signals."]
    if sys.version_info < OLDEST_PYTHON:
        found = f"{sys.executable} is Python {sys.version_info[0]}.{sys.version_info[1]}"
        return [f"Python 3.11 or newer is needed; {found}.\n    On Debian 12: {_apt_get('python3 python3-venv')}"]
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        found = f"Python's venv module is missing from {sys.executable}."
        return [f"{found}\n    On Debian: {_apt_get('python3-venv')}"]
    return []


def missing_for_processes(environ: Mapping[str, str]) -> list[str]:
    """What ties processes to the life of their parent, where it is missing, with a remedy; Debian always has it."""
    if shutil.which("setpriv", path=environ.get("PATH", os.defpath)) is not None:
        return []
    return [f"setpriv is missing: it ends what a killed process started.\n    On Debian: {_apt_get('util-linux')}"]


def missing_for_system(java: str | None, sdks: Sequence[Path]) -> list[str]:
    """What the local system lacks with this Java and these gcloud SDKs, each with a remedy."""
    missing = []
    if java is None:
        missing.append(
            "A Java runtime is missing: Google's Pub/Sub emulator needs it.\n"
            f"    On Debian: {_apt_get('default-jre-headless')}"
        )
    if find_emulator_jar(sdks) is None:
        folders = ", ".join(str(folder) for folder in sdks)
        packages = "google-cloud-cli google-cloud-cli-pubsub-emulator"
        missing.append(
            f"Google's Pub/Sub emulator is in no gcloud SDK that is found (looked in {folders}).\n"
            f"    With Google's apt repository: {_apt_get(packages)}\n"
            "    With the SDK's own installer: gcloud components install pubsub-emulator\n"
            "    With the SDK elsewhere: set CLOUDSDK_ROOT_DIR to its folder"
        )
    return missing


def missing_for_browser(environ: Mapping[str, str]) -> list[str]:
    """Chromium where it is missing, with a remedy; where apt may be told to install it, that is done, and said."""
    if find_chromium(environ):
        return []
    missing = f"Chromium is missing: the console is tested in it.\n    On Debian: {_apt_get('chromium')}"
    apt_get = shutil.which("apt-get", path=environ.get("PATH", os.defpath))
    if os.geteuid() != 0 or apt_get is None:
        return [missing]
    sys.stdout.write("Installing Debian's chromium, in which the console is tested (once) …\n")
    sys.stdout.flush()
    options = ["--yes", "-o", f"DPkg::Lock::Timeout={_LOCK_SECONDS}"]
    install = [apt_get, "install", "--no-install-recommends", *options, "chromium"]
    # The lists of packages are asked for only where they are old, or not there yet.
    for command in (install, [apt_get, "update", *options], install):
        done = subprocess.run(
            command,
            env={**environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if find_chromium(environ):
            return []
    told = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
    return ["\n    ".join([missing, *(f"apt-get said: {line}" for line in told)])]


def _apt_get(packages: str) -> str:
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install {packages}"


def main() -> None:
    """Say what is missing, for Python (`--python`) or the browser (`--browser`) alone, and exit 1 if anything is."""
    if "--browser" in sys.argv[1:]:
        missing = missing_for_browser(os.environ)
    else:
        missing = missing_for_python()
        if "--python" not in sys.argv[1:]:
            missing += missing_for_processes(os.environ)
            missing += missing_for_system(find_java(os.environ), sdk_folders(os.environ))
    for sentence in missing:
        sys.stderr.write(f"Missing: {sentence}\n")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
