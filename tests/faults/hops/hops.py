"""Every hop of the system, in one thread: what the product calls, and what calls it, goes through them."""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.faults.hops.http import HttpHop, Observe
from tests.faults.hops.rules import Rules
from tests.faults.hops.stream import StreamHop

HTTP = ("run", "bigquery", "sheets", "dispatch", "launch", "complete", "slack", "webhook")
# PostgreSQL executes a statement when it gets a Bind message.
STREAMS = {"postgres": b"B", "pubsub": None}

Result = TypeVar("Result")


class Hops:
    """Made before the system: `detour` is what it asks for the port at which others reach a component."""

    def __init__(self, seed: int, observe: Observe) -> None:
        self._seed = seed
        self._observe = observe
        self.ports: dict[str, int] = {}
        self._hops: dict[str, HttpHop | StreamHop] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hops", daemon=True)
        self._thread.start()

    def detour(self, name: str, port: int) -> int:
        """A hop's port in front of a component, or the component's own where none is."""
        rules = Rules(self._seed + len(self._hops))
        hop: HttpHop | StreamHop
        if name in HTTP:
            hop = HttpHop(name, port, rules, self._observe)
        elif name in STREAMS:
            hop = StreamHop(name, port, rules, STREAMS[name])
        else:
            return port
        self._hops[name] = hop
        self.ports[name] = self.run(hop.listen())
        return self.ports[name]

    def __getitem__(self, name: str) -> Rules:
        """A hop's rules."""
        return self._hops[name].rules

    def close_stream(self, name: str) -> None:
        """Break every connection of a stream hop and let nobody in."""
        self._set_open(name, is_open=False)

    def open_stream(self, name: str) -> None:
        self._set_open(name, is_open=True)

    def clear(self) -> None:
        """No more faults."""
        for name, hop in self._hops.items():
            hop.rules.clear()
            if isinstance(hop, StreamHop):
                self.open_stream(name)

    def wait(self) -> bool:
        """Whether a fault has not struck yet at all."""
        return any(hop.rules.waits() for hop in self._hops.values())

    def struck(self) -> Counter[str]:
        """How often each fault struck so far."""
        return sum((hop.rules.struck for hop in self._hops.values()), Counter())

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """In the hops' thread; from any other."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        """End every connection, and the thread."""
        self.run(_end_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _set_open(self, name: str, *, is_open: bool) -> None:
        hop = self._hops[name]
        assert isinstance(hop, StreamHop)
        hop.is_open = is_open
        if not is_open:
            self._loop.call_soon_threadsafe(hop.cut_all)


async def _end_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
