"""One call of gcloud or bq, made to a project that lies in a folder."""

import json
from pathlib import Path
from typing import Any

from .console import opened
from .executions import called
from .flags import Refused
from .format import shown
from .project import answer

# Words by which a command only looks.
READS = (
    "describe",
    "list",
    "get-iam-policy",
    "print-access-token",
    "print-identity-token",
    "access",
    "read",
    "show",
    "ls",
    "head",
)
GROUPS = ("alpha", "beta")
# Flags that take no value.
SWITCHES = (
    *("quiet", "gen2", "v2", "trigger-http", "enabled", "show-deleted", "to-latest", "async", "force", "wait"),
    *("all", "iap"),
)


class Call:
    """One command: its words, its flags (without dashes), what came on its standard input, and where it was typed."""

    def __init__(self, argv: list[str], text: str, here: Path) -> None:
        self.tool, self.input, self.here = argv[0], text, here
        self.words: list[str] = []
        if self.tool == "curl":
            self.words, self.flags = ["curl", argv[-1]], {"method": "POST" if "POST" in argv else "GET"}
            return
        self.flags: dict[str, str] = {}
        rest = iter(argv[1:])
        for word in rest:
            if not word.startswith("--"):
                self.words.append(word)
                continue
            name, equals, value = word[2:].partition("=")
            valueless = equals or name in SWITCHES or name.startswith(("no-", "clear-")) or self.tool == "bq"
            self.flags[name] = value if valueless else next(rest, "")
        while self.words and self.words[0] in GROUPS:
            self.words.pop(0)

    @property
    def changes(self) -> bool:
        if self.tool == "curl":
            return False  # what verify asks changes nothing: it cancels what has ended
        if self.tool == "bq":
            return self.words[:1] == ["mk"] or any("GRANT" in word or "REVOKE" in word for word in self.words)
        return not any(word in READS for word in self.words[:4])


def play(folder: Path, argv: list[str], text: str, here: Path) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of a command typed in `here`; the project changes with it."""
    call = Call(argv, text, here)
    with (folder / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({"argv": argv, "changed": call.changes, "input": text}) + "\n")

    def failed(why: object) -> tuple[int, str, str]:
        told = f"ERROR: ({' '.join(argv[1:3])}) {why}\n"
        # The real bq says on standard output what went wrong.
        return (1, told, "") if call.tool == "bq" else (1, "", told)

    cut = failed("the power is cut")
    late = False
    if call.changes and (folder / "stop_after").exists():
        left = int((folder / "stop_after").read_text())
        late = left == 0 and (folder / "stop_late").exists()
        if left <= 0 and not late:
            return cut
        (folder / "stop_after").write_text(str(left - 1))
    failing = folder / "fail_look"
    if not call.changes and failing.exists():
        left = int(failing.read_text())
        failing.write_text(str(left - 1))
        if left == 0:
            return failed("the network is gone")
    refusal = folder / "refuse_once"
    if call.changes and refusal.exists():
        saying = refusal.read_text()
        refusal.unlink()
        return failed(saying)
    state: dict[str, Any] = json.loads((folder / "state.json").read_text())
    try:
        out = _answered(state, call) if call.tool == "curl" else _shown(call, answer(state, call))
    except Refused as error:
        return failed(error)
    if call.changes:
        fresh = folder / "state.json.new"
        fresh.write_text(json.dumps(state, sort_keys=True))
        fresh.replace(folder / "state.json")
    return cut if late else (0, out, "")


def _answered(state: dict[str, Any], call: Call) -> str:
    return opened(state, call) if ".run.app/" in call.words[1] else called(state, call)


def _shown(call: Call, resources: list[Any]) -> str:
    condition = call.flags.get("filter", "") if "list" in call.words else ""
    form, flatten = call.flags.get("format", ""), call.flags.get("flatten", "")
    return shown(resources, form, flatten, condition=condition, single="describe" in call.words or "show" in call.words)
