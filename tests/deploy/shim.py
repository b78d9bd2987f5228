#!/usr/bin/env -S python3 -ES
"""Plays `gcloud` and `bq` of one Google Cloud project, whose state is a JSON file; standard library only.

As `gcloud` or `bq` on PATH (`tests/deploy/cloud.py` puts it there), with GCLOUD_SHIM naming a folder that has

- `state.json`: the project's resources by kind and name, and its IAM policies;
- `calls.jsonl`: every call, as `{"argv": […], "changed": true}`, and what came on its standard input;
- `stop_after`, if somebody wrote a number there: so many more changes work, every later one fails as if the power
  were cut; with `stop_late` there, the change after them happens, and its caller hears of a failure all the same.

It refuses what the project's state forbids (a subscription to a topic that is not there, a grant to an identity that
is not there, an API that is not enabled), and every command that it does not know.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from played.flags import Refused
from played.format import shown
from played.project import answer

# Words by which a command only looks.
READS = ("describe", "list", "get-iam-policy", "print-access-token", "access", "read", "show", "ls", "head")
GROUPS = ("alpha", "beta")
# Flags that take no value.
SWITCHES = ("quiet", "gen2", "v2", "trigger-http", "enabled", "show-deleted", "to-latest", "async", "force", "wait")


class Call:
    """One command: its words, its flags (without dashes), and what came on its standard input."""

    def __init__(self, argv: list[str]) -> None:
        self.tool = argv[0]
        self.words: list[str] = []
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
        self.input = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()

    @property
    def changes(self) -> bool:
        if self.tool == "bq":
            return self.words[:1] == ["mk"] or any("GRANT" in word or "REVOKE" in word for word in self.words)
        return not any(word in READS for word in self.words[:4])


def main() -> int:
    folder = Path(os.environ["GCLOUD_SHIM"])
    argv = [Path(sys.argv[0]).name, *sys.argv[1:]]
    call = Call(argv)
    state_file = folder / "state.json"
    state: dict[str, Any] = json.loads(state_file.read_text())
    with (folder / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({"argv": argv, "changed": call.changes, "input": call.input}) + "\n")
    late = False
    if call.changes and (folder / "stop_after").exists():
        left = int((folder / "stop_after").read_text())
        late = left == 0 and (folder / "stop_late").exists()
        if left <= 0 and not late:
            return refuse("the power is cut")
        (folder / "stop_after").write_text(str(left - 1))
    try:
        resources = answer(state, call)
        text = shown(resources, call.flags.get("format", ""), call.flags.get("flatten", ""), "describe" in call.words)
    except (Refused, NotImplementedError) as error:
        return refuse(str(error))
    if call.changes:
        fresh = folder / "state.json.new"
        fresh.write_text(json.dumps(state, indent=1, sort_keys=True))
        fresh.replace(state_file)
    sys.stdout.write(text)
    return refuse("the power is cut") if late else 0


def refuse(why: str) -> int:
    sys.stderr.write(f"ERROR: ({' '.join(sys.argv[1:3])}) {why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
