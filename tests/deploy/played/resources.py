"""What the flags of gcloud make: resources in the shapes that gcloud shows."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from .flags import Refused, Resource, State, labels, pairs, seconds, there
from .policies import bind, check_identity, check_secrets, unbind

CONTENT_FLAGS = ("policy-from-file", "config-from-file", "channel-content-from-file")
# Kinds whose ids Google makes.
GENERATED = ("monitoring policies", "monitoring dashboards", "monitoring channels")


def _service_account(state: State, call: Any, name: str, _old: Resource) -> Resource:
    project = state["project"]["projectId"]
    email = f"{name}@{project}.iam.gserviceaccount.com"
    texts = {"displayName": call.flags.get("display-name", ""), "description": call.flags.get("description", "")}
    return {"name": f"projects/{project}/serviceAccounts/{email}", "email": email, **texts}


def _role(state: State, call: Any, name: str, old: Resource) -> Resource:
    made = {**old, "name": f"projects/{state['project']['projectId']}/roles/{name}"}
    if old.get("deleted"):
        raise Refused(f"FAILED_PRECONDITION: the role {name} is deleted: undelete it")
    if "permissions" in call.flags:
        made["includedPermissions"] = sorted(call.flags["permissions"].split(","))
    return made | {key: call.flags[key] for key in ("title", "description") if key in call.flags}


def _topic(state: State, call: Any, name: str, old: Resource) -> Resource:
    return {**old, "name": f"projects/{state['project']['projectId']}/topics/{name}", **labels(call, old)}


def _subscription(state: State, call: Any, name: str, old: Resource) -> Resource:
    project, flags = state["project"]["projectId"], call.flags
    made: Resource = {
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {"ttl": "2678400s"},
        "state": "ACTIVE",
        **old,
        "name": f"projects/{project}/subscriptions/{name}",
        **labels(call, old),
    }
    if "topic" in flags:
        made["topic"] = f"projects/{project}/topics/{there(state, 'pubsub topics', flags['topic'])}"
    if "ack-deadline" in flags:
        made["ackDeadlineSeconds"] = int(flags["ack-deadline"])
    if "message-retention-duration" in flags:
        made["messageRetentionDuration"] = seconds(flags["message-retention-duration"])
    if "expiration-period" in flags:
        made["expirationPolicy"] = {} if flags["expiration-period"] == "never" else {"ttl": flags["expiration-period"]}
    if "min-retry-delay" in flags:
        delays = (seconds(flags["min-retry-delay"]), seconds(flags["max-retry-delay"]))
        made["retryPolicy"] = dict(zip(("minimumBackoff", "maximumBackoff"), delays, strict=True))
    if "dead-letter-topic" in flags:
        dead = f"projects/{project}/topics/{there(state, 'pubsub topics', flags['dead-letter-topic'])}"
        attempts = int(flags["max-delivery-attempts"])
        made["deadLetterPolicy"] = {"deadLetterTopic": dead, "maxDeliveryAttempts": attempts}
    if flags.get("push-endpoint") == "":
        made.pop("pushConfig", None)  # from here on it is pulled: it keeps what comes, and pushes nothing
    elif "push-endpoint" in flags:
        check_identity(state, flags.get("push-auth-service-account"))
        token = {
            "serviceAccountEmail": flags["push-auth-service-account"],
            "audience": flags["push-auth-token-audience"],
        }
        made["pushConfig"] = {"pushEndpoint": flags["push-endpoint"], "oidcToken": token}
    if "time" in flags:
        made["soughtTo"] = flags["time"]
    return made


def add_version(state: State, call: Any, secret: str) -> None:
    """The next version of a secret, of what the call was given to read."""
    if not call.input:
        raise Refused("INVALID_ARGUMENT: a secret's version is empty")
    versions = state["resources"].setdefault("secrets versions", {}).setdefault(secret, [])
    versions.append({"name": f"secrets/{secret}/versions/{len(versions) + 1}", "state": "ENABLED"})


def _secret(state: State, call: Any, name: str, old: Resource) -> Resource:
    if "data-file" in call.flags:
        add_version(state, call, name)
    return {**old, "name": f"projects/{state['project']['projectNumber']}/secrets/{name}", **labels(call, old)}


def _repository(state: State, call: Any, name: str, old: Resource) -> Resource:
    place = f"projects/{state['project']['projectId']}/locations/{call.flags['location']}"
    return {**old, "name": f"{place}/repositories/{name}", "format": "DOCKER", **labels(call, old)}


def _job(state: State, call: Any, name: str, old: Resource) -> Resource:
    task = old.get("spec", {}).get("template", {}).get("spec", {}).get("template", {}).get("spec", {})
    task = {"maxRetries": 3, "timeoutSeconds": "600", **task}
    container = dict(task.get("containers", [{}])[0])
    if "service-account" in call.flags:
        check_identity(state, call.flags["service-account"])
        task["serviceAccountName"] = call.flags["service-account"]
    if "max-retries" in call.flags:
        task["maxRetries"] = int(call.flags["max-retries"])
    if "task-timeout" in call.flags:
        task["timeoutSeconds"] = seconds(call.flags["task-timeout"]).removesuffix("s")
    container["image"] = call.flags.get("image", container.get("image"))
    limits = {key: call.flags[key] for key in ("memory", "cpu") if key in call.flags}
    if limits:
        container["resources"] = {"limits": limits}
    variables = {**pairs(call.flags.get("set-env-vars", "")), **check_secrets(state, call, task["serviceAccountName"])}
    if "update-env-vars" in call.flags:
        kept = {each["name"]: each["value"] for each in container.get("env", [])}
        variables = kept | pairs(call.flags["update-env-vars"])
    if variables:
        container["env"] = [{"name": key, "value": value} for key, value in sorted(variables.items())]
    task["containers"] = [container]
    metadata = {"name": name, **labels(call, old.get("metadata", {}))}
    return {"metadata": metadata, "spec": {"template": {"spec": {"template": {"spec": task}}}}}


def _service(state: State, call: Any, name: str, old: Resource) -> Resource:
    """IAP's annotation; gcloud lets IAP's own identity in with it, and takes that back."""
    agent = f"serviceAccount:service-{state['project']['projectNumber']}@gcp-sa-iap.iam.gserviceaccount.com"
    call.flags |= {"member": agent, "role": "roles/run.invoker"}
    if "iap" in call.flags:
        bind(state, f"run services/{name}", call)
        return {**old, "metadata": {**old["metadata"], "annotations": {"run.googleapis.com/iap-enabled": "true"}}}
    unbind(state, f"run services/{name}", call)
    return {**old, "metadata": {**old["metadata"], "annotations": {}}}


def _sink(state: State, call: Any, name: str, old: Resource) -> Resource:
    writer = f"serviceAccount:service-{state['project']['projectNumber']}@gcp-sa-logging.iam.gserviceaccount.com"
    made = {**old, "name": name, "writerIdentity": writer}
    made["destination"] = next((word for word in call.words if ".googleapis.com/" in word), old.get("destination"))
    made["filter"] = call.flags.get("log-filter", old.get("filter"))
    made["description"] = call.flags.get("description", old.get("description", ""))
    return made


def _metric(_state: State, call: Any, name: str, old: Resource) -> Resource:
    if call.flags.get("config-from-file") == "-":
        return {**json.loads(call.input), "name": name}
    made = {**old, "name": name, "filter": call.flags.get("log-filter", old.get("filter"))}
    return made | {"description": call.flags.get("description", old.get("description", ""))}


def _schedule(state: State, call: Any, name: str, old: Resource) -> Resource:
    flags = call.flags
    check_identity(state, flags.get("oidc-service-account-email"))
    token = {"serviceAccountEmail": flags["oidc-service-account-email"], "audience": flags["oidc-token-audience"]}
    return {
        "state": "ENABLED",
        **old,
        "name": f"projects/{state['project']['projectId']}/locations/{flags['location']}/jobs/{name}",
        "schedule": flags["schedule"],
        "timeZone": flags["time-zone"],
        "attemptDeadline": flags["attempt-deadline"],
        "description": flags.get("description", old.get("description", "")),
        "httpTarget": {"uri": flags["uri"], "httpMethod": flags["http-method"], "oidcToken": token},
    }


def _monitored(kind: str) -> Callable[[State, Any, str, Resource], Resource]:
    """Resources that come as JSON, and whose ids Google makes: creating one twice makes two."""

    def make(state: State, call: Any, name: str, old: Resource) -> Resource:
        content = next((call.input for flag in CONTENT_FLAGS if call.flags.get(flag) == "-"), None)
        made = json.loads(content) if content is not None else dict(old) or _channel(call)
        for channel in made.get("notificationChannels", []):
            there(state, "monitoring channels", channel, short=False)
        made["name"] = name or _fresh_name(state, kind, made["displayName"])
        return made

    return make


def _fresh_name(state: State, kind: str, title: str) -> str:
    """Made of the title, and of how many have it already: so that twins show."""
    kept = state["resources"].setdefault(f"monitoring {kind}", {})
    taken = sum(each["displayName"] == title for each in kept.values())
    plural = {"policies": "alertPolicies", "channels": "notificationChannels"}.get(kind, kind)
    digest = hashlib.sha256(title.encode()).hexdigest()[:12]
    return f"projects/{state['project']['projectId']}/{plural}/{digest}-{taken}"


def _channel(call: Any) -> Resource:
    labels, own = pairs(call.flags.get("channel-labels", "")), pairs(call.flags.get("user-labels", ""))
    return {"type": call.flags["type"], "displayName": call.flags["display-name"], "labels": labels, "userLabels": own}


def _instance(_state: State, call: Any, name: str, old: Resource) -> Resource:
    flags = [dict(zip(("name", "value"), each, strict=True)) for each in pairs(call.flags["database-flags"]).items()]
    return {**old, "name": name, "region": call.flags["region"], "settings": {"databaseFlags": flags}}


def _database(state: State, call: Any, name: str, old: Resource) -> Resource:
    return {**old, "name": name, "instance": there(state, "sql instances", call.flags["instance"])}


def _user(state: State, call: Any, name: str, old: Resource) -> Resource:
    made = {**old, "name": name, "instance": there(state, "sql instances", call.flags["instance"])}
    return made | {"type": call.flags.get("type", "BUILT_IN").upper()}


MAKERS: dict[str, Callable[[State, Any, str, Resource], Resource]] = {
    "iam service-accounts": _service_account,
    "iam roles": _role,
    "pubsub topics": _topic,
    "pubsub subscriptions": _subscription,
    "secrets": _secret,
    "artifacts repositories": _repository,
    "run jobs": _job,
    "run services": _service,
    "functions": lambda _state, _call, _name, old: old,
    "logging sinks": _sink,
    "logging metrics": _metric,
    "scheduler jobs": _schedule,
    "monitoring policies": _monitored("policies"),
    "monitoring dashboards": _monitored("dashboards"),
    "monitoring channels": _monitored("channels"),
    "sql instances": _instance,
    "sql databases": _database,
    "sql users": _user,
}
