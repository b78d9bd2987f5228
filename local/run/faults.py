"""Faults of Cloud Run itself, ordered by `POST /faults` where the server was started with `--faults`.

    {"never_start": 1, "out_of_memory": 2}

So many of the next executions end that way. Both have been seen in the field: an execution that waits for a start
until somebody cancels it, and one that the memory limit ends, reported with "exit code: 0".
"""

import asyncio

import msgspec

from local.run.execution import ABORTED, CANCELLED, CANCELLED_MESSAGE, MEMORY_MESSAGE, Outcome

# Until a killed task is reported.
SECONDS_TO_DIE = 0.5


class Faults(msgspec.Struct, forbid_unknown_fields=True):
    """How many executions are still to end in which way."""

    never_start: int = 0
    out_of_memory: int = 0

    def order(self, more: "Faults") -> None:
        self.never_start += more.never_start
        self.out_of_memory += more.out_of_memory

    async def strike(self, cancelled: asyncio.Event) -> Outcome | None:
        """How a task ends in place of running; None where no fault is ordered."""
        if self.never_start > 0:
            self.never_start -= 1
            await cancelled.wait()
            return Outcome(CANCELLED, CANCELLED_MESSAGE)
        if self.out_of_memory > 0:
            self.out_of_memory -= 1
            await asyncio.sleep(SECONDS_TO_DIE)
            return Outcome(ABORTED, MEMORY_MESSAGE)
        return None
