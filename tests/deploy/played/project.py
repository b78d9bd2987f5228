"""One Google Cloud project, played: what each command of gcloud and bq does to it, and shows."""

from typing import Any

from .actions import SPECIAL
from .bigquery import bigquery
from .flags import Refused, Resource, State
from .policies import bind, unbind
from .resources import GENERATED, MAKERS

# The API that a group of commands needs to be enabled.
APIS = {
    "pubsub": "pubsub.googleapis.com",
    "run": "run.googleapis.com",
    "functions": "cloudfunctions.googleapis.com",
    "iam": "iam.googleapis.com",
    "iap": "iap.googleapis.com",
    "secrets": "secretmanager.googleapis.com",
    "artifacts": "artifactregistry.googleapis.com",
    "builds": "cloudbuild.googleapis.com",
    "scheduler": "cloudscheduler.googleapis.com",
    "logging": "logging.googleapis.com",
    "monitoring": "monitoring.googleapis.com",
    "sql": "sqladmin.googleapis.com",
}


def empty_project(project: str, number: str = "123456789012") -> State:
    """The state of a project that has nothing but its owner."""
    owner = {"role": "roles/owner", "members": ["user:owner@example.com"]}
    return {
        "project": {"projectId": project, "projectNumber": number, "lifecycleState": "ACTIVE"},
        "billing": True,
        "apis": [],
        "agents": [],
        "resources": {},
        "policies": {f"projects/{project}": [owner]},
        "log": [],
    }


def answer(state: State, call: Any) -> list[Resource]:
    """Do one command and return the resources that it shows. Raises `Refused`."""
    if call.tool == "bq":
        return bigquery(state, call)
    project = call.flags.get("project", state["project"]["projectId"])
    if project != state["project"]["projectId"]:
        raise Refused(f"PERMISSION_DENIED: the project {project} does not exist, or you may not see it")
    words = call.words
    api = APIS.get(words[0])
    if api and api not in state["apis"]:
        raise Refused(f"PERMISSION_DENIED: {api} has not been used in project {project} before or it is disabled")
    for length in (3, 2, 1):
        special = SPECIAL.get(" ".join(words[:length]))
        if special:
            return special(state, call, words[length:])
    for length in (2, 1):
        kind = " ".join(words[:length])
        if kind in MAKERS and len(words) > length:
            verb, names = words[length], [word for word in words[length + 1 :] if word != "http"]
            return _verb(state, call, kind, verb, names)
    raise Refused(f"the shim does not know: {call.tool} {' '.join(words)}")


def _verb(state: State, call: Any, kind: str, verb: str, names: list[str]) -> list[Resource]:
    kept = state["resources"].setdefault(kind, {})
    key = _key(state, call, kind, names[0]) if names else ""
    if verb == "list":
        return [each for each in kept.values() if not each.get("deleted") or "show-deleted" in call.flags]
    if verb == "create":
        if key in kept and kind not in GENERATED:
            raise Refused(f"ALREADY_EXISTS: {kind} {key}")
        made = MAKERS[kind](state, call, names[0] if names else "", {})
        kept[key or made["name"]] = made
        return [made]
    if key not in kept:
        raise Refused(f"NOT_FOUND: {kind} {key} does not exist")
    match verb:
        case "describe":
            return [kept[key]]
        case "update" | "modify-push-config" | "seek":
            kept[key] = MAKERS[kind](state, call, names[0], kept[key])
            return [kept[key]]
        case "delete":
            kept.pop(key)
            state["policies"].pop(f"{kind}/{key}", None)
            return []
        case "get-iam-policy":
            return [{"bindings": state["policies"].get(f"{kind}/{key}", [])}]
        case "add-iam-policy-binding":
            return [bind(state, f"{kind}/{key}", call)]
        case "remove-iam-policy-binding":
            if "all" in call.flags and kind.startswith(("pubsub", "run jobs")):
                raise Refused(f"unrecognized arguments: --all ({kind} knows no conditions)")
            return [unbind(state, f"{kind}/{key}", call)]
    raise Refused(f"the shim does not know: {kind} {verb}")


def _key(state: State, call: Any, kind: str, name: str) -> str:
    """What a resource is kept under: its short name, but what gcloud itself names by more."""
    if kind == "iam service-accounts" and "@" not in name:
        return f"{name}@{state['project']['projectId']}.iam.gserviceaccount.com"
    if kind in ("sql databases", "sql users"):
        return f"{call.flags['instance']}/{name}"
    return name if kind in GENERATED else name.rsplit("/", 1)[-1]
