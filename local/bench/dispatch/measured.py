"""What a measured program tells of itself, as one line of JSON on its standard output.

Imported by programs of either virtual environment, so it imports nothing but the standard library.
"""

import json
import re
import time
from pathlib import Path


class Stopwatch:
    """Started when made; `tell` prints what was done since then."""

    def __init__(self) -> None:
        self._cpu = time.process_time()
        self._wall = time.perf_counter()

    def tell(self, count: int) -> None:
        """How many were done, in how many seconds of the clock and of this process's CPU, and its peak of memory."""
        seconds, cpu_seconds = time.perf_counter() - self._wall, time.process_time() - self._cpu
        told = {"count": count, "seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mib": _peak_mib()}
        print(json.dumps(told))


def _peak_mib() -> float:
    # getrusage's peak would begin with that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024
