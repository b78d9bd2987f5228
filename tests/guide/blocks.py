"""The fenced blocks of the documents, and how each is to be followed.

A block has a language, and where that is not enough, a comment in front that no reader sees:

    <!-- runs: shim; prints: sheettobigquery-job -->

Parts are divided by `; `. See `HOW` and `Block`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = ("MIGRATION_GUIDE.md", "README-JOB.md", "README.md")
# What a block of which language is, where no comment says otherwise.
LANGUAGES = {
    "bash": "typed into the reader's terminal, which goes on from block to block",
    "sql": "sent to the reader's database",
    "crontab": "one line, whose command cron runs with nothing but a PATH",
    "yaml": "a file's content: `file: NAME` says whose",
    "json": "a file's content as well",
    "text": "looked at: a picture, or what a command prints",
}
# What `runs:` may say.
HOW = {
    "here": "against the local system: the default",
    "shim": "gcloud is the stateful shim of tests/deploy, after gcloud's own linter",
    "beside": "in another terminal, where it goes on running",
    "lint": "gcloud is asked for nothing: its linter alone judges what it would be asked",
    "not here": "with a reason: `not here, because …`",
}
_FENCE = re.compile(r"```(?P<language>.*)")
_COMMENT = re.compile(r"<!-- (?P<parts>(?:runs|file|prints|exits): .*) -->")


@dataclass(frozen=True)
class Block:
    """One block, under the heading `section`.

    `prints` are texts that following it has to show; `exits` is the code that it ends with.
    """

    document: str
    line: int
    section: str
    language: str
    text: str
    runs: str = "here"
    file: str = ""
    prints: tuple[str, ...] = ()
    exits: int = 0

    @property
    def place(self) -> str:
        """Where it stands, as an editor opens it."""
        return f"{self.document}:{self.line}"

    @property
    def is_followed(self) -> bool:
        return self.language != "text" and not self.runs.startswith("not here")


def read_blocks(document: str) -> list[Block]:
    """All fenced blocks of a document, in its order. Raises `ValueError` for a comment that it does not understand."""
    return parse_blocks(document, (REPOSITORY / document).read_text())


def parse_blocks(document: str, text: str) -> list[Block]:
    """The blocks in a document's text."""
    lines = text.splitlines()
    found: list[Block] = []
    opened, section = 0, ""
    for number, line in enumerate(lines, 1):
        fence = _FENCE.fullmatch(line)
        if not fence:
            section = line.lstrip("# ") if line.startswith("#") and not opened else section
            continue
        if not opened:
            opened = number
            continue
        language = lines[opened - 1].removeprefix("```")
        content = "\n".join(lines[opened : number - 1]) + "\n"
        before = lines[opened - 2] if opened > 1 else ""
        found.append(Block(document, opened, section, language, content, **_told(before, f"{document}:{opened}")))
        opened = 0
    return found


def _told(line: str, place: str) -> dict:
    comment = _COMMENT.fullmatch(line)
    if not comment:
        if line.startswith("<!--"):
            raise ValueError(f"{place}: {line} says nothing of how the block is followed")
        return {}
    told: dict = {"prints": ()}
    for part in comment["parts"].split("; "):
        name, _, value = part.partition(": ")
        match name:
            case "prints":
                told["prints"] += (value,)
            case "exits":
                told["exits"] = int(value)
            case "runs" | "file":
                told[name] = value
            case _:
                raise ValueError(f"{place}: {name} is no part of such a comment")
    return told
