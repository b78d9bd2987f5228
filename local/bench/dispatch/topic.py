"""One topic of the Pub/Sub emulator with one subscription, whose messages are counted."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from local.ports import direct

# Pub/Sub's limit for one pull.
IN_A_PULL = 1000
# The emulator answers a pull with what it has at hand, which can be nothing while there is something.
EMPTY_PULLS = 3


class Topic:
    """`project` is the project's address at the emulator's REST API."""

    def __init__(self, project: str, name: str) -> None:
        self._topic, self._subscription = (f"{project}/{kind}/{name}" for kind in ("topics", "subscriptions"))

    def empty(self) -> None:
        """The topic as new: messages of an earlier run are gone."""
        for address in (self._subscription, self._topic):
            try:
                _call("DELETE", address)
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
        _call("PUT", self._topic, {})
        _call("PUT", self._subscription, {"topic": self._topic.partition("/v1/")[2]})

    def take_runs(self) -> set[str]:
        """The runs that messages asked for since the topic was emptied."""
        runs: set[str] = set()
        empty = 0
        while empty < EMPTY_PULLS:
            pull = {"maxMessages": IN_A_PULL, "returnImmediately": True}
            received = _call("POST", f"{self._subscription}:pull", pull).get("receivedMessages", [])
            empty = 0 if received else empty + 1
            if received:
                _call("POST", f"{self._subscription}:acknowledge", {"ackIds": [each["ackId"] for each in received]})
            runs |= {json.loads(base64.b64decode(each["message"]["data"]))["run_id"] for each in received}
        return runs


def _call(method: str, address: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310  (a loopback address)
        address,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    with direct.open(request, timeout=60) as answer:
        return dict(json.loads(answer.read() or b"{}"))
