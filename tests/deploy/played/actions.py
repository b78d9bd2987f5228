"""Commands of gcloud that are more than a verb of one resource."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .flags import Refused, Resource, State, labels, pairs, there
from .policies import bind, check_identity, check_secrets, granted, unbind
from .resources import add_version

REGIONS = ("europe-west1", "europe-west4", "us-central1", "us-east1")


def _deploy_function(state: State, call: Any, words: list[str]) -> list[Resource]:
    [name] = words
    project, region = state["project"]["projectId"], call.flags["region"]
    for api in ("cloudbuild", "run", "artifactregistry"):
        if f"{api}.googleapis.com" not in state["apis"]:
            raise Refused(f"FAILED_PRECONDITION: {api}.googleapis.com is not enabled")
    if not Path(call.here, call.flags["source"], "main.py").is_file():
        raise Refused(f"INVALID_ARGUMENT: {call.flags['source']} has no main.py")
    identity = call.flags.get("service-account")
    check_identity(state, identity)
    check_identity(state, call.flags.get("build-service-account"))
    kept = state["resources"].setdefault("functions", {})
    old = kept.get(name, {})
    service = {
        "uri": f"https://{name}-{hashlib.sha256(name.encode()).hexdigest()[:10]}-uc.a.run.app",
        "serviceAccountEmail": identity,
        "ingressSettings": f"ALLOW_{call.flags.get('ingress-settings', 'all').upper().replace('-', '_')}",
        "maxInstanceCount": int(call.flags["max-instances"]),
        "maxInstanceRequestConcurrency": int(call.flags["concurrency"]),
        "availableMemory": call.flags["memory"],
        "timeoutSeconds": int(call.flags["timeout"].removesuffix("s")),
        "environmentVariables": pairs(call.flags.get("set-env-vars", "")),
        "secretEnvironmentVariables": check_secrets(state, call, str(identity)),
    }
    kept[name] = {
        "name": f"projects/{project}/locations/{region}/functions/{name}",
        "state": "ACTIVE",
        "buildConfig": {"entryPoint": call.flags["entry-point"], "runtime": call.flags["runtime"]},
        "serviceConfig": service,
        **labels(call, old),
    }
    state["resources"].setdefault("run services", {})[name] = {
        "metadata": {"name": name},
        "status": {"url": service["uri"], "traffic": [{"latestRevision": True, "percent": 100}]},
    }
    if "allow-unauthenticated" in call.flags:
        state["policies"][f"run services/{name}"] = [{"role": "roles/run.invoker", "members": ["allUsers"]}]
    return [kept[name]]


def _delete_function(state: State, _call: Any, words: list[str]) -> list[Resource]:
    [name] = words
    if state["resources"].get("functions", {}).pop(name, None) is None:
        raise Refused(f"NOT_FOUND: the function {name} does not exist")
    state["resources"]["run services"].pop(name)
    state["policies"].pop(f"run services/{name}", None)
    return []


def _enable(state: State, _call: Any, names: list[str]) -> list[Resource]:
    state["apis"] = sorted({*state["apis"], *names})
    return []


def _identity(state: State, call: Any, _names: list[str]) -> list[Resource]:
    if call.flags["service"] not in state["apis"]:
        raise Refused(f"FAILED_PRECONDITION: {call.flags['service']} is not enabled")
    state["agents"] = sorted({*state["agents"], call.flags["service"].partition(".")[0]})
    return []


def _project(state: State, _call: Any, names: list[str]) -> list[Resource]:
    if names[0] != state["project"]["projectId"]:
        raise Refused(f"PERMISSION_DENIED: the project {names[0]} does not exist, or you may not see it")
    return [state["project"]]


def _project_policy(verb: str) -> Callable[[State, Any, list[str]], list[Resource]]:
    def act(state: State, call: Any, names: list[str]) -> list[Resource]:
        _project(state, call, names)
        place = f"projects/{names[0]}"
        if verb == "get":
            return [{"bindings": state["policies"].get(place, [])}]
        return [(bind if verb == "add" else unbind)(state, place, call)]

    return act


def _iap_policy(verb: str) -> Callable[[State, Any, list[str]], list[Resource]]:
    """Of what IAP protects; it is a policy of its own, and outlives the service."""

    def act(state: State, call: Any, _names: list[str]) -> list[Resource]:
        place = f"iap web/{there(state, 'run services', call.flags['service'])}"
        if verb == "get":
            return [{"bindings": state["policies"].get(place, [])}]
        return [(bind if verb == "add" else unbind)(state, place, call)]

    return act


def _add_version(state: State, call: Any, names: list[str]) -> list[Resource]:
    add_version(state, call, there(state, "secrets", names[0]))
    return []


def _versions(state: State, _call: Any, names: list[str]) -> list[Resource]:
    there(state, "secrets", names[0])
    return list(state["resources"].get("secrets versions", {}).get(names[0], []))


def _delete_secret(state: State, _call: Any, names: list[str]) -> list[Resource]:
    state["resources"]["secrets"].pop(there(state, "secrets", names[0]))
    state["resources"].get("secrets versions", {}).pop(names[0], None)
    state["policies"].pop(f"secrets/{names[0]}", None)
    return []


def _build(state: State, call: Any, words: list[str]) -> list[Resource]:
    given = pairs(call.flags["substitutions"])
    job, repository = (given["_JOB"], given["_REPOSITORY"])
    builder = call.flags.get("service-account", "")
    task = state["resources"]["run jobs"][there(state, "run jobs", job)]["spec"]["template"]["spec"]["template"]["spec"]
    there(state, "artifacts repositories", repository)
    for place, role in (
        (f"artifacts repositories/{repository}", "roles/artifactregistry.writer"),
        (f"run jobs/{job}", "roles/run.developer"),
        (f"iam service-accounts/{task['serviceAccountName']}", "roles/iam.serviceAccountUser"),
        (f"projects/{state['project']['projectId']}", "roles/logging.logWriter"),
    ):
        if not granted(state, place, role, builder):
            raise Refused(f"the build failed: PERMISSION_DENIED: {builder} lacks {role} on {place}")
    place = f"{given['_REGION']}-docker.pkg.dev/{state['project']['projectId']}/{repository}/{job}"
    task["containers"][0]["image"] = f"{place}@sha256:{hashlib.sha256(' '.join(words).encode()).hexdigest()}"
    return []


def _token(state: State, call: Any, _names: list[str]) -> list[Resource]:
    """Its own, or that of an identity which lets it: an owner of the project alone may not."""
    if not state.get("login", True):
        raise Refused("You do not currently have an active account selected.")
    email = call.flags.get("impersonate-service-account")
    if email and email not in state.get("impersonated", []):
        raise Refused(f"PERMISSION_DENIED: iam.serviceAccounts.getAccessToken denied on {email}")
    return [{"token": f"token of {email or 'owner@example.com'}"}]


def _set_state(value: str) -> Callable[[State, Any, list[str]], list[Resource]]:
    def act(state: State, _call: Any, names: list[str]) -> list[Resource]:
        state["resources"]["scheduler jobs"][there(state, "scheduler jobs", names[0])]["state"] = value
        return []

    return act


def _delete_user(state: State, call: Any, names: list[str]) -> list[Resource]:
    """PostgreSQL drops no role that still has rights."""
    if state.get("users_with_rights"):
        raise Refused(f'failedPrecondition: role "{names[0]}" cannot be dropped because some objects depend on it')
    if state["resources"].get("sql users", {}).pop(f"{call.flags['instance']}/{names[0]}", None) is None:
        raise Refused(f"NOT_FOUND: sql users {names[0]} does not exist")
    return []


def _delete_role(state: State, _call: Any, names: list[str]) -> list[Resource]:
    state["resources"]["iam roles"][there(state, "iam roles", names[0])]["deleted"] = True
    return []


def _undelete_role(state: State, _call: Any, names: list[str]) -> list[Resource]:
    state["resources"]["iam roles"][there(state, "iam roles", names[0])].pop("deleted", None)
    return []


def _traffic(state: State, call: Any, names: list[str]) -> list[Resource]:
    service = state["resources"]["run services"][there(state, "run services", names[0])]
    if "to-latest" in call.flags:
        service["status"]["traffic"] = [{"latestRevision": True, "percent": 100}]
        return []
    wanted = {name: int(percent) for name, percent in pairs(call.flags["to-revisions"]).items()}
    others = [each for each in service["status"]["traffic"] if not each.get("latestRevision")]
    left = 100 - sum(wanted.values())
    if left and not others:
        raise Refused(f"INVALID_ARGUMENT: the other {left} % of the traffic have no revision to go to")
    latest = [{"latestRevision": True, "percent": wanted["LATEST"]}]
    service["status"]["traffic"] = latest + ([{**others[0], "percent": left}] if left else [])
    return []


SPECIAL: dict[str, Callable[[State, Any, list[str]], list[Resource]]] = {
    "services enable": _enable,
    "services list": lambda state, _call, _names: [{"config": {"name": name}} for name in state["apis"]],
    "services identity create": _identity,
    "projects describe": _project,
    "projects get-iam-policy": _project_policy("get"),
    "projects add-iam-policy-binding": _project_policy("add"),
    "projects remove-iam-policy-binding": _project_policy("remove"),
    "billing projects describe": lambda state, _call, _names: [{"billingEnabled": state["billing"]}],
    "auth print-access-token": _token,
    "auth print-identity-token": lambda _state, _call, _names: [{"id_token": "identity of owner@example.com"}],
    "iap web get-iam-policy": _iap_policy("get"),
    "iap web add-iam-policy-binding": _iap_policy("add"),
    "iap web remove-iam-policy-binding": _iap_policy("remove"),
    "run regions list": lambda _state, _call, _names: [{"locationId": region} for region in REGIONS],
    "functions deploy": _deploy_function,
    "functions delete": _delete_function,
    "secrets versions add": _add_version,
    "secrets versions list": _versions,
    "secrets versions access": lambda _state, _call, _names: [],
    "secrets delete": _delete_secret,
    "builds submit": _build,
    "scheduler jobs pause": _set_state("PAUSED"),
    "scheduler jobs resume": _set_state("ENABLED"),
    "iam roles delete": _delete_role,
    "sql users delete": _delete_user,
    "iam roles undelete": _undelete_role,
    "run services update-traffic": _traffic,
    "logging read": lambda state, _call, _names: list(state["log"]),
}
