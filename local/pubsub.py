"""Google's Pub/Sub emulator with the topics and subscriptions that a deployment has."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.component import Component, ComponentFailed, answers
from local.ports import HOST, direct
from local.prerequisites import find_emulator_jar, find_java, missing_for_system, sdk_folders

REQUESTS = "sheet-to-bigquery-requests"
COMPLETIONS = "sheet-to-bigquery-completions"
# The older service's, to which its portal publishes.
PORTAL = "sheet-to-bigquery-portal"
DEAD_LETTERS = "sheet-to-bigquery-dead-letters"
# As deployed, but for the first pause of a retry: a second here, so that nobody waits for it.
DELIVERY: Mapping[str, Any] = {
    "ackDeadlineSeconds": 120,
    "retryPolicy": {"minimumBackoff": "1s", "maximumBackoff": "600s"},
}
# What the portal publishes waits for the older service's answer; Pub/Sub waits for none any longer.
SECONDS_FOR_THE_SERVICE = 600
# Seven days, and a subscription that nobody reads does not expire.
KEPT: Mapping[str, Any] = {"messageRetentionDuration": "604800s", "expirationPolicy": {}}
# With pauses that double up to ten minutes, two hours pass before a message is given up.
DELIVERY_ATTEMPTS = 20
# The emulator takes 93 MB, and keeps all messages: those of ten thousand runs are more than 256 MB hold. Java takes of
# the most that it may only what it needs.
JAVA_OPTIONS = ("-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")


@dataclass(frozen=True)
class PubSub:
    """One emulator for one project."""

    project: str
    port: int

    @property
    def host(self) -> str:
        """What PUBSUB_EMULATOR_HOST holds."""
        return f"{HOST}:{self.port}"

    def component(self, environment: Mapping[str, str], folder: Path, log: Path) -> Component:
        """The emulator's Java process, without gcloud around it: gcloud would orphan it.

        Raises `ComponentFailed` that names what is missing on this machine.
        """
        java, sdks = find_java(os.environ), sdk_folders(os.environ)
        jar = find_emulator_jar(sdks)
        if java is None or jar is None:
            raise ComponentFailed("\n".join(missing_for_system(java, sdks)))
        return Component(
            name="pubsub",
            command=[java, *JAVA_OPTIONS, "-jar", jar, f"--host={HOST}", f"--port={self.port}"],
            environment=environment,
            folder=folder,
            log=log,
            ready=lambda: answers(f"http://{self.host}/"),
            address=f"http://{self.host}",
        )

    def create_topics(self, endpoints: Mapping[str, str]) -> None:
        """Create topics and subscriptions; `endpoints` has the function's URL that each topic pushes to.

        Nothing survives the emulator's end, so call this after each start of it.
        """
        for topic in (*endpoints, DEAD_LETTERS):
            self._put(f"topics/{topic}", {})
        # Pulled by people: without it, what is given up would be lost.
        self._put(f"subscriptions/{DEAD_LETTERS}", {"topic": self._name("topics", DEAD_LETTERS), **KEPT})
        for topic, url in endpoints.items():
            name = self._name("topics", topic)
            # The path names the topic: functions-framework makes the event's source of it.
            push = {"pushConfig": {"pushEndpoint": f"{url}/{name}"}}
            delivery = {**DELIVERY, "ackDeadlineSeconds": SECONDS_FOR_THE_SERVICE} if topic == PORTAL else DELIVERY
            options = {**push, **KEPT, **delivery, **self._dead_letters}
            self._put(f"subscriptions/{topic}", {"topic": name, **options})

    @property
    def _dead_letters(self) -> Mapping[str, Any]:
        policy = {
            "deadLetterTopic": self._name("topics", DEAD_LETTERS),
            "maxDeliveryAttempts": DELIVERY_ATTEMPTS,
        }
        return {"deadLetterPolicy": policy}

    def _name(self, kind: str, name: str) -> str:
        return f"projects/{self.project}/{kind}/{name}"

    def _put(self, path: str, body: Mapping[str, Any]) -> None:
        request = urllib.request.Request(
            f"http://{self.host}/v1/projects/{self.project}/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="PUT",
        )
        try:
            direct.open(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            raise ComponentFailed(f"pubsub refused to create {path}: {error.read().decode()}") from error
