"""The product's dispatch, as the function does it: `python -m local.bench.dispatch.product`, with its environment."""

import os

from local.bench.dispatch.measured import Stopwatch
from shared.dispatch import DispatchRequest, dispatch
from shared.wiring import Wiring


def main() -> None:
    wiring = Wiring(os.environ)
    # As in a function that is warm: the client is made, and connected.
    wiring.clients.publisher.get_topic(topic=wiring.settings.topic(wiring.settings.request_topic))
    with wiring.store() as store:
        stopwatch = Stopwatch()
        done = dispatch(DispatchRequest(), store, wiring.publish, wiring.settings)
        stopwatch.tell(done.admitted)


if __name__ == "__main__":
    main()
