"""The ledger's queries of what people did."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import msgspec

from shared.acted import Acted
from shared.ledger import action_statements
from shared.ledger.queries import Queries, to_json
from shared.run import Run


class ActionQueries(Queries):
    """Actions: each done once, and written down with what it changed."""

    @contextmanager
    def acting(self, action_id: str) -> Iterator[Acted | None]:
        """The transaction of one action, and what it did already, where its form was sent before.

        Whoever sends the same form meanwhile waits for the end of it.
        """
        with self._transaction():
            number = int.from_bytes(UUID(action_id).bytes[:8], "big", signed=True)
            self._run(action_statements.LOCK, number=number)
            yield self.find_action(action_id)

    def note_action(self, acted: Acted) -> None:
        """Writes down what was done, in the transaction that did it."""
        values = msgspec.structs.asdict(acted) | {"details": to_json(acted.details)}
        self._run(action_statements.NOTE, **values)

    def find_action(self, action_id: str) -> Acted | None:
        """What an action did; None where nobody did it, or it was cleaned away."""
        rows = self._run(action_statements.FIND, action_id=action_id)
        return _to_acted(rows[0][0]) if rows else None

    def actions_of(self, config_id: int, most: int) -> list[Acted]:
        """What was done to a config, newest first."""
        rows = self._run(action_statements.OF_CONFIG, config_id=config_id, most=most)
        return [_to_acted(row) for (row,) in rows]

    def who_cancelled(self, run: Run) -> str | None:
        """Who asked for the run's end first; None where nobody did."""
        rows = self._run(action_statements.WHO_CANCELLED, config_id=run.config_id, run_id=run.id)
        return rows[0][0] if rows else None


def _to_acted(row: dict[str, object]) -> Acted:
    return msgspec.convert({key: value for key, value in row.items() if value is not None}, Acted, strict=False)
