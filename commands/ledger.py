"""The ledger for a command that waits: a connection that breaks in the middle is opened again."""

import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from commands.screen import Screen
from shared.errors import DatabaseUnavailable
from shared.ledger.store import Store

Answer = TypeVar("Answer")
OpenStore = Callable[[], contextlib.AbstractContextManager[Store]]

# A restart of PostgreSQL takes seconds, a failover a minute or two.
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 15.0


class Ledger:
    """One store at a time, for one thread, opened by the first question and again after a connection broke.

    For commands that have reached the database before: they wait for it as long as it takes.
    """

    def __init__(self, open_store: OpenStore, screen: Screen) -> None:
        self._open_store = open_store
        self._screen = screen
        self._open = contextlib.ExitStack()
        self._store: Store | None = None

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.close()

    def ask(self, question: Callable[[Store], Answer]) -> Answer:
        """What the store answers, asked again where the database cannot be reached.

        Only for questions: what changes the ledger must not be repeated.
        """
        wait = _FIRST_WAIT
        while True:
            try:
                return question(self._store or self._reopen())
            except DatabaseUnavailable as error:
                self._store = None
                self._screen.note(f"{error.what}: looking again in {wait:.0f} s; the runs go on without us")
                time.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT)

    def _reopen(self) -> Store:
        self._open.close()
        self._store = self._open.enter_context(self._open_store())
        return self._store
