"""The older service in a played project: itself, its portal's topic, and the subscription that pushes to it."""

from local.pubsub import PORTAL
from tests.deploy.cloud import Cloud

SERVICE, URL, DIRECT = "service-sheettobigquery", "https://service-sheettobigquery-abc-uc.a.run.app", "older-syncs-push"


def add_older_service(cloud: Cloud) -> None:
    """It has a revision from before, which serves a little."""
    state = cloud.state
    state["apis"] = sorted({*state["apis"], "pubsub.googleapis.com", "run.googleapis.com"})
    resources = state["resources"]
    caller = f"older-push@{cloud.project}.iam.gserviceaccount.com"
    topic = f"projects/{cloud.project}/topics/{PORTAL}"
    resources.setdefault("run services", {})[SERVICE] = {
        "metadata": {"name": SERVICE},
        "status": {
            "url": URL,
            "traffic": [{"latestRevision": True, "percent": 90}, {"revisionName": "older", "percent": 10}],
        },
    }
    resources.setdefault("iam service-accounts", {})[caller] = {"email": caller, "description": "", "name": caller}
    resources.setdefault("pubsub topics", {})[PORTAL] = {"name": topic, "labels": {}}
    resources.setdefault("pubsub subscriptions", {})[DIRECT] = {
        "name": f"projects/{cloud.project}/subscriptions/{DIRECT}",
        "topic": topic,
        "ackDeadlineSeconds": 600,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {},
        "pushConfig": {
            "pushEndpoint": f"{URL}/sheet-to-bigquery",
            "oidcToken": {"serviceAccountEmail": caller, "audience": URL},
        },
    }
    cloud.write(state)
