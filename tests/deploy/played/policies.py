"""IAM policies of a played project: who may what where, and whom Google would not know."""

import json
import re
from typing import Any

from .flags import Refused, Resource, State, pairs


def bind(state: State, place: str, call: Any) -> Resource:
    member, role = call.flags["member"], call.flags["role"]
    check_member(state, member)
    custom = re.fullmatch(r"projects/[^/]+/roles/(.+)", role)
    if custom and custom[1] not in state["resources"].get("iam roles", {}):
        raise Refused(f"INVALID_ARGUMENT: the role {role} does not exist")
    condition = _condition(call)
    bindings = state["policies"].setdefault(place, [])
    for each in bindings:
        if each["role"] == role and each.get("condition") == condition:
            each["members"] = sorted({*each["members"], member})
            return {"bindings": bindings}
    bindings.append({"role": role, "members": [member]} | ({"condition": condition} if condition else {}))
    bindings.sort(key=lambda each: (each["role"], json.dumps(each.get("condition"))))
    return {"bindings": bindings}


def unbind(state: State, place: str, call: Any) -> Resource:
    member, role, condition = call.flags["member"], call.flags["role"], _condition(call)
    bindings = state["policies"].get(place, [])
    found = False
    for each in bindings:
        suits = "all" in call.flags or each.get("condition") == condition
        if each["role"] == role and suits and member in each["members"]:
            each["members"].remove(member)
            found = True
    if found:
        state["policies"][place] = [each for each in bindings if each["members"]]
        return {"bindings": state["policies"][place]}
    raise Refused(f"NOT_FOUND: {place} has no binding of {role} to {member}")


def _condition(call: Any) -> Resource | None:
    text = call.flags.get("condition", "None")
    if text == "None":
        return None
    parts = dict(part.split("=", 1) for part in re.split(r",(?=\w+=)", text))
    return {"title": parts["title"], "expression": parts["expression"]}


def check_member(state: State, member: str) -> None:
    number = state["project"]["projectNumber"]
    kind, _, email = member.partition(":")
    if kind != "serviceAccount":
        return
    own = email.endswith(f"@{state['project']['projectId']}.iam.gserviceaccount.com")
    if own and email not in state["resources"].get("iam service-accounts", {}):
        raise Refused(f"INVALID_ARGUMENT: Service account {email} does not exist.")
    for agent in ("pubsub", "iap"):
        if email == f"service-{number}@gcp-sa-{agent}.iam.gserviceaccount.com" and agent not in state["agents"]:
            raise Refused(f"INVALID_ARGUMENT: Service account {email} does not exist.")


def check_identity(state: State, email: str | None) -> None:
    if not email:
        raise Refused("INVALID_ARGUMENT: the shim's project has no default service account: name one")
    check_member(state, f"serviceAccount:{email.rsplit('/', 1)[-1]}")


def granted(state: State, place: str, role: str, email: str) -> bool:
    member = f"serviceAccount:{email.rsplit('/', 1)[-1]}"
    return any(each["role"] == role and member in each["members"] for each in state["policies"].get(place, []))


def check_secrets(state: State, call: Any, email: str) -> dict[str, str]:
    """The secrets that a revision gets: they must be there, with a version, and be its identity's to read."""
    secrets = pairs(call.flags.get("set-secrets", ""))
    for name in (value.partition(":")[0] for value in secrets.values()):
        if not state["resources"].get("secrets versions", {}).get(name):
            raise Refused(f"FAILED_PRECONDITION: the secret {name} has no version")
        if not granted(state, f"secrets/{name}", "roles/secretmanager.secretAccessor", email):
            raise Refused(f"FAILED_PRECONDITION: {email} may not access the secret {name}")
    return secrets
