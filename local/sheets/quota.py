"""The quota of read requests: https://developers.google.com/workspace/sheets/api/limits."""

import threading
import time
from collections import deque

SECONDS = 60.0


class Quota:
    """At most `reads_per_minute` reads in any sixty seconds; None is no limit."""

    def __init__(self, reads_per_minute: int | None) -> None:
        self.reads_per_minute = reads_per_minute
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether one more read fits; one that does not is not counted."""
        if self.reads_per_minute is None:
            return True
        with self._lock:
            now = time.monotonic()
            while self._taken and self._taken[0] <= now - SECONDS:
                self._taken.popleft()
            if len(self._taken) >= self.reads_per_minute:
                return False
            self._taken.append(now)
            return True
