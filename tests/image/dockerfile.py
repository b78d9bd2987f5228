"""The Dockerfile and .dockerignore read as Docker does, for the forms that ours have: which files the image gets.

https://docs.docker.com/reference/dockerfile/ and https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple


class Instruction(NamedTuple):
    """One instruction of a Dockerfile, its continued lines joined."""

    name: str
    arguments: str


def read_dockerfile(path: Path) -> list[Instruction]:
    """The instructions in their order, without comments."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(None, 1)) for line in joined.splitlines()]


def last(instructions: list[Instruction], name: str) -> str:
    """The arguments of the last instruction of a name: the one that counts for USER, WORKDIR, ENTRYPOINT."""
    return [each.arguments for each in instructions if each.name == name][-1]


def entrypoint(instructions: list[Instruction]) -> list[str]:
    """The program and its arguments; `ValueError` for the shell form, which signals do not pass."""
    words = json.loads(last(instructions, "ENTRYPOINT"))
    return [str(word) for word in words]


def environment(instructions: list[Instruction]) -> dict[str, str]:
    """What the last stage's ENV sets; ours quotes nothing."""
    begin = max(number for number, each in enumerate(instructions) if each.name == "FROM")
    pairs = [word for each in instructions[begin:] if each.name == "ENV" for word in each.arguments.split()]
    return dict(pair.split("=", 1) for pair in pairs)


def copied_files(instructions: list[Instruction], context: Path) -> dict[PurePosixPath, Path]:
    """Each file that a COPY takes from the build's context: its path in the image, and where it is here."""
    ignored = _Ignored(context / ".dockerignore")
    copies = [each.arguments for each in instructions if each.name == "COPY" and "--from=" not in each.arguments]
    files: dict[PurePosixPath, Path] = {}
    for *sources, destination in map(str.split, copies):
        for source in sources:
            for path in _files_below(context / source):
                if not ignored.matches(path.relative_to(context).as_posix()):
                    files[_place(context / source, path, destination)] = path
    return files


def _files_below(path: Path) -> Iterator[Path]:
    return iter([path]) if path.is_file() else (each for each in path.rglob("*") if each.is_file())


def _place(source: Path, path: Path, destination: str) -> PurePosixPath:
    """A folder's content is copied, not the folder itself; a file goes into a destination that ends with a slash."""
    inside = path.name if source == path else path.relative_to(source).as_posix()
    return PurePosixPath(destination) / inside


class _Ignored:
    """Patterns of .dockerignore: the last one that matches a path, or a folder above it, decides."""

    def __init__(self, path: Path) -> None:
        lines = [line.strip() for line in path.read_text().splitlines()]
        self._patterns = [
            (not line.startswith("!"), re.compile(_expression(line.lstrip("!"))))
            for line in lines
            if line and not line.startswith("#")
        ]

    def matches(self, path: str) -> bool:
        places = [str(place) for place in (PurePosixPath(path), *PurePosixPath(path).parents) if str(place) != "."]
        ignored = False
        for ignores, pattern in self._patterns:
            if any(pattern.fullmatch(place) for place in places):
                ignored = ignores
        return ignored


def _expression(pattern: str) -> str:
    """`*` stays within one folder, `**` takes any number of them, none too."""
    escaped = re.escape(pattern.strip("/"))
    return escaped.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
