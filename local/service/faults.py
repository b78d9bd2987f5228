"""Faults of the older service, ordered by `POST /faults` where the server was started with `--faults`.

    {"seconds": 2.5, "failing": 1, "status": 503, "hanging": 1, "silent": 1}

Every request takes `seconds` more from then on. Of the next ones, so many fail with `status` and do nothing, so many
hang (nothing is done, nothing answered), and so many are silent: all is done, and nobody is told.
"""

import msgspec


class Faults(msgspec.Struct, forbid_unknown_fields=True):
    """What the next requests meet; one of each kind is used up by each."""

    seconds: float = 0
    failing: int = 0
    status: int = 500
    hanging: int = 0
    silent: int = 0

    def takes(self, kind: str) -> bool:
        """Whether this request meets a fault of the kind, which it uses up."""
        left = getattr(self, kind)
        if left > 0:
            setattr(self, kind, left - 1)
        return left > 0
