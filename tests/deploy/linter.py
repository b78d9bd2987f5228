"""gcloud's own linter of gcloud commands, which needs neither a login nor a network.

It knows every flag of the installed SDK: which there are, which are required, and which values they take. It does
not know what a project holds, nor quotas, nor permissions.
"""

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.prerequisites import sdk_folders

_SECONDS = 240


class GcloudMissing(Exception):
    """There is no gcloud here that could judge commands; the Pub/Sub emulator's jar alone is not enough."""


def lint(commands: Sequence[str]) -> list[str]:
    """What is wrong with these command lines, each as `COMMAND: why`; empty where nothing is.

    A command is one line as a person pastes it; what stands before `gcloud` (`VARIABLE=value`, `exec`) and shell
    syntax other than quotes must be gone. Costs 0.1 s a command. Raises `GcloudMissing`.
    """
    # By how the linter gets them: of two that are spelled alike it would forget one.
    spelled = {_spelled(command): command for command in commands}
    if not spelled:
        return []
    results = _judged(list(spelled))
    return [
        f"{command}: {result['error_message']}"
        for command, result in zip(spelled.values(), results, strict=True)
        if not result["success"]
    ]


def find_gcloud(folders: Sequence[Path]) -> Path:
    """The gcloud of the first of these SDKs that has one. Raises `GcloudMissing` with where it was looked for."""
    for folder in folders:
        if (folder / "bin" / "gcloud").exists():
            return folder / "bin" / "gcloud"
    raise GcloudMissing(
        f"no gcloud in {', '.join(map(str, folders))}: the Pub/Sub emulator's jar is not enough here; install"
        " google-cloud-cli, or set CLOUDSDK_ROOT_DIR to the SDK's folder"
    )


def find_gcloud_here() -> Path:
    """The real gcloud of this machine. Raises `GcloudMissing`."""
    return find_gcloud(sdk_folders(os.environ))


def gcloud_environment(config: Path) -> dict[str, str]:
    """An environment in which gcloud asks nobody, knows nobody and calls nobody; `config` is its empty folder."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(config),
        "CLOUDSDK_CONFIG": str(config),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        "LANG": "C.UTF-8",
    }


def _spelled(command: str) -> str:
    """The command as the linter understands it: it cuts at `#`, even inside quotes, and wants `--flag=value`."""
    words = [word.replace("#", "_").replace("\n", " ") for word in shlex.split(command, comments=True)]
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    """With the flag's name outside of the quotes, or the linter takes the word for the value of the flag before it."""
    name, equals, value = word.partition("=")
    return f"{name}={shlex.quote(value)}" if equals and name.startswith("--") else shlex.quote(word)


def _judged(lines: Sequence[str]) -> list[dict[str, Any]]:
    gcloud = find_gcloud_here()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "commands.json")
        # Ids that count from 1: the linter takes 0 for none. By them, since it rewrites the commands it tells.
        numbered = [{"command_string": line, "id": str(number)} for number, line in enumerate(lines, 1)]
        file.write_text(json.dumps(numbered))
        done = subprocess.run(
            [str(gcloud), "meta", "lint-gcloud-commands", f"--commands-file={file}", "--serialize"],
            env=gcloud_environment(Path(folder)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"gcloud's linter itself failed: {done.stderr[-2000:]}")
    told = json.loads(done.stdout)
    return [told[each["id"]][0] for each in numbered]
