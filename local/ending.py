"""How the commands that run a system end: always by way of its clean-up."""

import ctypes
import os
import signal
from types import FrameType

# <linux/prctl.h>
PR_SET_PDEATHSIG = 1


def end_in_order() -> None:
    """Let SIGTERM, SIGHUP and the death of the `make` that started it end this program as Ctrl-C does.

    Ctrl-C counts even where the shell set it to be ignored, as it does for what a script starts with `&`;
    an ignored SIGHUP (nohup) stays ignored.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _exit)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _exit)
    # make sets it for what it starts.
    if "MAKELEVEL" in os.environ:
        _send_at_parents_death(signal.SIGTERM)


def _exit(number: int, _frame: FrameType | None) -> None:
    # As a shell reports a process that a signal ended.
    raise SystemExit(128 + number)


def _send_at_parents_death(number: signal.Signals) -> None:
    """Let the kernel send this process a signal when the thread that started it ends (prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(number)) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
