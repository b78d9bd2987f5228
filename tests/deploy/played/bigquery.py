"""What bq makes of a project: datasets and who may use them."""

import re
from typing import Any

from .flags import Refused, Resource, State
from .policies import check_member

# Roles that BigQuery shows under their names of before IAM.
_OLDER = {"roles/bigquery.dataEditor": "WRITER", "roles/bigquery.dataViewer": "READER"}


def bigquery(state: State, call: Any) -> list[Resource]:
    datasets = state["resources"].setdefault("datasets", {})
    name = call.words[-1]
    match call.words[0]:
        case "show":
            if name not in datasets:
                raise Refused(f"BigQuery error in show operation: Not found: Dataset {name}")
            return [datasets[name]]
        case "mk":
            if name in datasets:
                raise Refused(f"BigQuery error in mk operation: Dataset '{name}' already exists.")
            datasets[name] = {"id": name, "location": call.flags["location"], "access": []}
            return []
        case "query":
            return _change_access(state, datasets, name, call.flags.get("location", "US"))
    raise Refused(f"the shim does not know: bq {' '.join(call.words)}")


def _change_access(state: State, datasets: Resource, statement: str, location: str) -> list[Resource]:
    """GRANT and REVOKE of a role on a dataset; basic roles show under their old names."""
    pattern = r"""(GRANT|REVOKE) `(roles/[\w.]+)` ON SCHEMA `([^`]+)`\.`?(\w+)`? (?:TO|FROM) "(\w+:[^"]+)\""""
    matched = re.fullmatch(pattern, statement)
    if matched is None:
        raise Refused(f"BigQuery error in query operation: Syntax error: {statement}")
    verb, role, project, dataset, member = matched.groups()
    # A query runs in one location, and sees no dataset of another.
    there = datasets.get(f"{project}:{dataset}")
    if there is None or there.get("location", "US") != location:
        missing = f"Dataset {project}:{dataset} was not found in location {location}"
        raise Refused(f"BigQuery error in query operation: Not found: {missing}")
    check_member(state, member)
    entry = {"role": _OLDER.get(role, role), "userByEmail": member.partition(":")[2]}
    access = there["access"]
    if verb == "GRANT" and entry not in access:
        access.append(entry)
    if verb == "REVOKE" and entry in access:
        access.remove(entry)
    return []
