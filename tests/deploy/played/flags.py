"""What is said of a project, and how: its state, references to what must be there, and the values of flags."""

import re
from typing import Any

# The project as the state file has it, and one resource in the shape that gcloud shows.
State = dict[str, Any]
Resource = dict[str, Any]


class Refused(Exception):
    """Google says no, or it is not known here what Google says; the message is the reason."""


def there(state: State, kind: str, name: str, short: bool = True) -> str:
    key = name.rsplit("/", 1)[-1] if short else name
    if key not in state["resources"].get(kind, {}):
        raise Refused(f"NOT_FOUND: {kind} {key} does not exist")
    return key


def labels(call: Any, old: Resource) -> Resource:
    labels = dict(old.get("labels", {}))
    for flag in ("labels", "update-labels"):
        labels |= pairs(call.flags.get(flag, ""))
    return {"labels": labels}


def pairs(text: str) -> dict[str, str]:
    """`a=b,c=d`, or with another delimiter `^|^a=b|c=d`."""
    delimiter, text = (text[1], text[3:]) if re.match(r"\^.\^", text) else (",", text)
    return dict(pair.split("=", 1) for pair in text.split(delimiter) if pair)


def seconds(text: str) -> str:
    number, unit = re.fullmatch(r"(\d+)([smhd]?)", text).groups()  # type: ignore[union-attr]
    return f"{int(number) * {'s': 1, 'm': 60, 'h': 3600, 'd': 86400, '': 1}[unit]}s"
