"""deploy/permissions.toml: what each call needs, what each role gives, and who is granted what."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one API call needs: permissions by the resource that has to grant them."""

    source: str
    needs: dict[str, list[str]]


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a role's permissions, those that we rely on; of our own, all, or why their use is `unseen`."""

    source: str
    permissions: list[str]
    unseen: str = ""


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role for a component on a resource. `unseen` says why no local system can show that it is used."""

    component: str
    role: str
    on: str
    unseen: str = ""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; `resources` has the resources' names, as gcloud's commands have them."""

    resources: dict[str, str]
    calls: dict[str, Call]
    roles: dict[str, Role]
    grants: list[Grant]


class Made(NamedTuple):
    """That a component made a call."""

    component: str
    call: str


def read_table(path: Path) -> Table:
    """Raises `msgspec.ValidationError` for a file of another shape."""
    return msgspec.convert(tomllib.loads(path.read_text()), Table)


def uncovered(table: Table, made: Iterable[Made]) -> list[str]:
    """Calls that are not in the table, or need what no role of their component's gives."""
    found = []
    for component, name in sorted(set(made)):
        call = table.calls.get(name)
        if call is None:
            found.append(f"{component} made {name}, which is not in the table")
            continue
        for resource, permissions in call.needs.items():
            lacking = set(permissions) - _given(table, component, resource)
            if lacking:
                found.append(f"{component} made {name}, but may not {', '.join(sorted(lacking))} on {resource}")
    return found


def idle(table: Table, made: Iterable[Made]) -> list[str]:
    """Grants of which nothing was used, and those that are said to be unseen, but were used."""
    used = {
        (component, resource, permission)
        for component, name in set(made)
        for resource, permissions in (table.calls[name].needs if name in table.calls else {}).items()
        for permission in permissions
    }
    found = []
    for grant in table.grants:
        seen = any((grant.component, grant.on, each) in used for each in table.roles[grant.role].permissions)
        if seen is bool(grant.unseen):
            found.append(
                f"{grant.role} of {grant.component} on {grant.on} {'is used after all' if seen else 'is not used'}"
            )
    return found


def idle_permissions(table: Table, made: Iterable[Made]) -> list[str]:
    """Permissions of roles of our own that no call of anybody needed."""
    used = {
        each for _, name in made if name in table.calls for needs in table.calls[name].needs.values() for each in needs
    }
    ours = {name: role for name, role in table.roles.items() if name.startswith("sheettobigquery.") and not role.unseen}
    return [f"{each} of {name}" for name, role in ours.items() for each in role.permissions if each not in used]


def _given(table: Table, component: str, resource: str) -> set[str]:
    grants = [grant for grant in table.grants if (grant.component, grant.on) == (component, resource)]
    return {permission for grant in grants for permission in table.roles[grant.role].permissions}
