"""What the ledger's queries share: one connection, and the shapes that go in and out of PostgreSQL."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.ledger import statements
from shared.ledger.connection import Session
from shared.run import Run


class Queries:
    """A part of the product's queries, over one connection; not to be shared between threads."""

    def __init__(self, session: Session) -> None:
        self._run = session.run
        self._transaction = session.transaction
        self._configs = session.configs_table
        self.one_moment = session.one_moment

    @contextlib.contextmanager
    def _in_index_order(self) -> Iterator[None]:
        """Statements that go through an index in its order; a page's others, in its one transaction, as ever."""
        with self._transaction():
            self._run(statements.IN_INDEX_ORDER)
            yield
            self._run(statements.IN_ANY_ORDER)

    def now(self) -> datetime:
        """The one clock: the database's."""
        return self._run(statements.NOW)[0][0]


def array(names: Sequence[str] | None) -> list[str] | None:
    return list(names) if names is not None else None


def to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def to_run(row: dict[str, Any]) -> Run:
    """A run as `to_jsonb` gives its row."""
    return msgspec.convert({key: value for key, value in row.items() if value is not None}, Run, strict=False)
