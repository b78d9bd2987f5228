"""A clock that is wrong by FAULT_CLOCK seconds, for the one Python process that has this folder on its PYTHONPATH.

The time of day alone, as Python tells it; what the kernel counts (sleeping, waiting, `monotonic`) goes on as it does.
libfaketime 0.9.10 would have done it below Python, but a Python 3.11 sleeps for ever under it.
"""

import ctypes
import datetime
import gc
import os
import sys
import time
from typing import Any

SHIFT = float(os.environ.get("FAULT_CLOCK", "0"))
_time, _time_ns, _gmtime, _localtime = time.time, time.time_ns, time.gmtime, time.localtime


def _shifted() -> float:
    """But for gRPC, which hands its deadlines to C code that asks the kernel: both have to be of one clock."""
    asks = sys._getframe(1).f_globals.get("__name__", "")
    return _time() + (0.0 if asks.startswith("grpc.") else SHIFT)


def _now(cls: Any, tz: datetime.tzinfo | None = None) -> Any:
    return cls.fromtimestamp(time.time(), tz)


def _utcnow(cls: Any) -> Any:
    return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)


def _today(cls: Any) -> Any:
    return cls.fromtimestamp(time.time())


def _shift() -> None:
    time.time = _shifted
    time.time_ns = lambda: _time_ns() + int(SHIFT * 1e9)
    time.gmtime = lambda seconds=None: _gmtime(time.time() if seconds is None else seconds)
    time.localtime = lambda seconds=None: _localtime(time.time() if seconds is None else seconds)
    # The classes themselves, which everybody else has imported already, or tests values against: they are C's, and
    # let nobody set their attributes; but their dictionaries can be had.
    for kind, methods in (
        (datetime.datetime, {"now": _now, "utcnow": _utcnow, "today": _today}),
        (datetime.date, {"today": _today}),
    ):
        [attributes] = gc.get_referents(kind.__dict__)
        attributes.update({name: classmethod(method) for name, method in methods.items()})
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


if SHIFT:
    _shift()
