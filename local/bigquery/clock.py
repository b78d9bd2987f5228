"""The server's clock: milliseconds since the epoch, as the API writes times."""

import time


def now_ms() -> int:
    return time.time_ns() // 1_000_000
