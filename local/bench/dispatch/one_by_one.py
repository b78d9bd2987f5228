"""The product's dispatch with the client library's ordinary publishing: one message, wait, the next one."""

import os
from collections.abc import Sequence

from google.cloud.pubsub_v1 import PublisherClient

from local.bench.dispatch.measured import Stopwatch
from shared.dispatch import DispatchRequest, dispatch
from shared.messages import RunRequested
from shared.wiring import Wiring


def main() -> None:
    wiring = Wiring(os.environ)
    topic = wiring.settings.topic(wiring.settings.request_topic)
    publisher = PublisherClient()

    def publish(run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            publisher.publish(topic, RunRequested(run_id).encode()).result()

    with wiring.store() as store:
        stopwatch = Stopwatch()
        done = dispatch(DispatchRequest(), store, publish, wiring.settings)
        stopwatch.tell(done.admitted)


if __name__ == "__main__":
    main()
