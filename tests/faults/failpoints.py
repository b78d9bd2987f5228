"""The failpoints of the product as the harness arms them: a folder with a file for each that waits."""

from collections import Counter
from pathlib import Path


class Failpoints:
    """What waits at which failpoint, and what struck. Files in `scratch` are moved into `folder` whole."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder
        self._scratch = scratch
        self._told: dict[str, str] = {}

    def arm(self, name: str, action: str, told: str) -> None:
        """Once, whichever process comes there first; `told` is the fault, as it is counted."""
        self._told[f"{name} {action}"] = told
        scratch = self._scratch / name
        scratch.write_text(action)
        scratch.replace(self.folder / name)

    def armed(self) -> list[Path]:
        """Those to which nobody has come yet."""
        return [path for path in self.folder.iterdir() if ".taken." not in path.name]

    def disarm(self) -> None:
        for path in self.armed():
            path.unlink(missing_ok=True)

    def taken(self) -> Counter[str]:
        """How often each fault at a failpoint struck."""
        acted = ((path.name.partition(".taken.")[0], path.read_text()) for path in self.folder.glob("*.taken.*"))
        return Counter(self._told[f"{name} {action}"] for name, action in acted)

    def deaths(self) -> list[float]:
        """When a process died at one; a file's status changes when it is taken away."""
        taken = self.folder.glob("*.taken.*")
        return [path.stat().st_ctime for path in taken if path.read_text() == "exit"]
