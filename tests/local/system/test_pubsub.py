"""Topics and subscriptions as a deployment has them, in Google's emulator, seen through Google's client."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import grpc
import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.pubsub import DEAD_LETTERS, PubSub
from tests.local.system.processes import wait_for


class Endpoint(HTTPServer):
    """A function's stand-in: keeps what is pushed, and refuses it as often as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pushed)
        self.pushed: list[tuple[str, dict[str, Any]]] = []
        self.refusals = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Pushed(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.pushed.append((self.path, body))
        refused = len(self.server.pushed) <= self.server.refusals
        self.send_response(500 if refused else 204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Not into the tests' output."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def publish(pubsub: PubSub, topic: str, data: bytes) -> None:
    transport = PublisherGrpcTransport(channel=grpc.insecure_channel(pubsub.host))
    name = f"projects/{pubsub.project}/topics/{topic}"
    PublisherClient(transport=transport).publish(topic=name, messages=[{"data": data}], timeout=10)


def test_a_message_is_pushed_to_its_function_under_the_topics_path(pubsub: PubSub, endpoint: Endpoint) -> None:
    pubsub.create_topics({"pushed-once": endpoint.url})
    publish(pubsub, "pushed-once", b'{"run_id": 1}')
    assert wait_for(lambda: endpoint.pushed)
    path, body = endpoint.pushed[0]
    assert path == f"/projects/{pubsub.project}/topics/pushed-once"
    assert base64.b64decode(body["message"]["data"]) == b'{"run_id": 1}'


def test_a_refused_message_comes_again(pubsub: PubSub, endpoint: Endpoint) -> None:
    endpoint.refusals = 1
    pubsub.create_topics({"pushed-again": endpoint.url})
    publish(pubsub, "pushed-again", b"x")
    assert wait_for(lambda: len(endpoint.pushed) == 2, seconds=20)
    assert len({body["message"]["messageId"] for _, body in endpoint.pushed}) == 1


def test_subscriptions_are_as_deployed(pubsub: PubSub, endpoint: Endpoint) -> None:
    pubsub.create_topics({"described": endpoint.url})
    transport = SubscriberGrpcTransport(channel=grpc.insecure_channel(pubsub.host))
    client = SubscriberClient(transport=transport)
    project = f"projects/{pubsub.project}"
    pushed = client.get_subscription(subscription=f"{project}/subscriptions/described", timeout=10)
    assert pushed.ack_deadline_seconds == 120
    assert pushed.retry_policy.maximum_backoff.total_seconds() == 600
    assert pushed.dead_letter_policy.dead_letter_topic == f"{project}/topics/{DEAD_LETTERS}"
    kept = client.get_subscription(subscription=f"{project}/subscriptions/{DEAD_LETTERS}", timeout=10)
    assert not kept.push_config.push_endpoint
