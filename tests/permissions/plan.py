"""The grants that deploy.sh would make, read from its plan: a line is a command, as a person would paste it."""

import re
import shlex
from collections.abc import Iterable
from typing import NamedTuple

from tests.permissions.table import Table

# Members that only Google can name, by the command that asks for them.
_ASKED = {"gcp-sa-pubsub": "Pub/Sub", "gcp-sa-iap": "IAP", "writerIdentity": "log sink"}
_OURS = re.compile(r"serviceAccount:sheettobigquery-([a-z-]+)@")
_ON_DATASET = re.compile(r"GRANT `(?P<role>[^`]+)` ON SCHEMA .* TO \"(?P<member>[^\"]+)\"")


class Planned(NamedTuple):
    """A grant by the names of permissions.toml."""

    component: str
    role: str
    on: str


def planned_grants(plan: Iterable[str], table: Table) -> set[Planned]:
    """All grants of a plan. Raises `KeyError` for a resource that the table does not name."""
    names = {command: name for name, command in table.resources.items() if command}
    found = set()
    for line in plan:
        if on_dataset := _ON_DATASET.search(line):
            found.add(Planned(_component(on_dataset["member"]), on_dataset["role"], "datasets"))
        elif " add-iam-policy-binding " in line:
            words = [word for word in shlex.split(line.partition("gcloud ")[2]) if word != "beta"]
            verb = words.index("add-iam-policy-binding")
            flags = dict(word[2:].split("=", 1) for word in words if word.startswith("--") and "=" in word)
            # What IAP protects is named by flags alone.
            name = flags["service"] if words[verb + 1].startswith("--") else words[verb + 1].partition("@")[0]
            command = " ".join([*words[:verb], name])
            on = "project" if words[:verb] == ["projects"] else names[command]
            found.add(Planned(_component(flags["member"]), flags["role"].rpartition("/roles/")[2], on))
    return found


def differences(table: Table, planned: set[Planned]) -> list[str]:
    """What one of both has alone: the plan, or the table; those of who types job_helper.py are nobody's plan."""
    reviewed = {
        Planned(grant.component, grant.role, grant.on)
        for grant in table.grants
        if grant.component != "commands" and table.resources[grant.on]
    }
    return [f"not in the table: {each}" for each in sorted(planned - reviewed)] + [
        f"not in the plan: {each}" for each in sorted(reviewed - planned)
    ]


def _component(member: str) -> str:
    asked = [name for mark, name in _ASKED.items() if mark in member]
    ours = _OURS.search(member)
    return ours[1] if ours else asked[0]
