"""When a run tries again."""

import random
from datetime import datetime, timedelta

# An hourly config's next slot comes after this anyway.
_LONGEST_SECONDS = 3600


def retry_at(now: datetime, failures: int, first_seconds: int) -> datetime:
    """The next attempt's earliest instant after `failures` earlier ones: exponential, half of it by chance.

    The chance keeps configs that failed together (a quota, an outage) from coming back together.
    """
    longest = min(first_seconds * 2 ** min(failures, 30), _LONGEST_SECONDS)
    return now + timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311  (no secret hangs on it)
