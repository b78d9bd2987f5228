"""A played Google Cloud project for tests: the shims on PATH, its state, and what was called."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.deploy.played.project import empty_project

SHIM = Path(__file__).with_name("shim.py")


class Cloud:
    """One project in a folder, which `gcloud` and `bq` of `environment` act on."""

    def __init__(self, folder: Path, project: str = "hkd-reporting") -> None:
        self.folder = folder
        self.project = project
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        for name in ("gcloud", "bq", "curl"):
            (self.bin / name).symlink_to(SHIM)
        self.write(empty_project(project))

    @staticmethod
    def empty(project: str) -> dict[str, Any]:
        """The state of a project that has nothing but its owner."""
        return empty_project(project)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs that shall see this project in place of Google's."""
        python = Path(sys.executable).parent
        return {
            "PATH": f"{self.bin}:{python}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108
            "GCLOUD_SHIM": str(self.folder),
        }

    @property
    def state(self) -> dict[str, Any]:
        return json.loads((self.folder / "state.json").read_text())

    def write(self, state: Mapping[str, Any]) -> None:
        """Put the project into this state, as it was or as somebody changed it by hand."""
        (self.folder / "state.json").write_text(json.dumps(state, sort_keys=True))

    def add_secrets(self, *names: str) -> None:
        """Secrets that are there before, with a version each."""
        state = self.state
        state["apis"] = sorted({*state["apis"], "secretmanager.googleapis.com"})
        for name in names:
            secret = {"name": f"projects/1/secrets/{name}", "labels": {}}
            state["resources"].setdefault("secrets", {})[name] = secret
            state["resources"].setdefault("secrets versions", {})[name] = [{"name": "1", "state": "ENABLED"}]
        self.write(state)

    def resources(self, kind: str) -> dict[str, Any]:
        """The resources of a kind (`pubsub topics`) by name."""
        return self.state["resources"].get(kind, {})

    def calls(self) -> list[dict[str, Any]]:
        """Every call so far: `argv`, whether it `changed`, and its `input`."""
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def changes(self) -> list[list[str]]:
        """The commands so far that changed, or would have changed, something."""
        return [call["argv"] for call in self.calls() if call["changed"]]

    def forget_calls(self) -> None:
        (self.folder / "calls.jsonl").unlink(missing_ok=True)

    def cut_power(self, after: int, late: bool = False) -> None:
        """Let so many changes work and all later ones fail; `late`: the first that fails has happened all the same."""
        (self.folder / "stop_after").write_text(str(after))
        (self.folder / "stop_late").unlink(missing_ok=True)
        if late:
            (self.folder / "stop_late").touch()

    def refuse_once(self, saying: str) -> None:
        """Refuse the next change with this message, as Google does where something is not known everywhere yet."""
        (self.folder / "refuse_once").write_text(saying)

    def fail_look(self, number: int) -> None:
        """Let the call after so many that only look fail, as the network does."""
        (self.folder / "fail_look").write_text(str(number))

    def refuse_login(self) -> None:
        """From here on nobody is logged in."""
        self.write(self.state | {"login": False})

    def restore_power(self) -> None:
        (self.folder / "stop_after").unlink(missing_ok=True)
