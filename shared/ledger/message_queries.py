"""The ledger's queries of messages: requests by hand, once each, and what nobody could understand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from shared.errors import Overtaken
from shared.ledger import forward_statements, message_statements, record_statements, statements
from shared.ledger.config_queries import ConfigQueries
from shared.ledger.queries import array
from shared.messages import LONGEST_KEPT, Kept, ManualRequest
from shared.run import Heard, Poison

Recorded = Literal["accepted", "merged", "poison", "duplicate"]


class MessageQueries(ConfigQueries):
    """Messages, and the configs that requests name."""

    def record_request(
        self, message_id: str, request: ManualRequest, body: bytes, now: datetime, *, if_ours: bool = False
    ) -> Recorded:
        """Records one run for a message by hand, once per message id.

        `merged`: a run by hand waits already and will see what the person edited. `duplicate`: the message
        was seen before. Raises `UnknownConfig` or `AmbiguousName`, with nothing recorded; and with `if_ours`,
        `Overtaken` where the config is the older service's, which has to get the message then.
        """
        with self._transaction():
            self._run(statements.LOCK_DISPATCH)
            # First, so that a redelivery at the same moment waits for this transaction, and then finds it.
            if not self._record_message(message_id, now, "accepted", None, body):
                return "duplicate"
            config_id = self.find_config(request)["id"]
            if if_ours:
                self._hold_as_ours(config_id)
            allow = {"config_id": config_id, "allow_shrink": request.allow_shrink}
            recorded = self._run(record_statements.RECORD_MANUAL, now=now, **allow)
            waiting = recorded or self._run(message_statements.FOLLOW_UP, **allow)
            if not waiting:
                # What waited was admitted between the two statements, or the config was deleted.
                raise Overtaken(f"config {config_id} changed while a run of it was recorded", "try again")
            self._run(message_statements.NOTE_MESSAGE_RUN, message_id=message_id, run_id=waiting[0][0])
            return "accepted" if recorded else "merged"

    def unanswered_messages(self, config_ids: Sequence[int] | None = None) -> dict[int, list[Kept]]:
        """By config, the portal's messages that got a run which was cancelled, and no load since; newest first."""
        wanted = list(config_ids) if config_ids is not None else None
        found: dict[int, list[Kept]] = {}
        for config_id, *kept in self._run(message_statements.UNANSWERED, config_ids=wanted):
            found.setdefault(config_id, []).append(Kept(*kept))
        return found

    def note_returned(self, messages: Sequence[Kept]) -> None:
        """They were published again, or a newer one of the same config was."""
        self._run(message_statements.RETURN, message_ids=array([each.message_id for each in messages]))

    def note_answered(self) -> None:
        """What was to be published again, and whose config was loaded since, is nobody's affair any more."""
        self._run(message_statements.ANSWER)

    def find_message(self, message_id: str) -> Heard | None:
        """What became of a request by hand; None while nobody has taken it."""
        rows = self._run(message_statements.FIND_MESSAGE, message_id=message_id)
        if not rows:
            return None
        verdict, reason, run_id = rows[0]
        return Heard(verdict, reason, str(run_id) if run_id else None)

    def record_poison(self, message_id: str, reason: str, body: bytes, now: datetime) -> None:
        """Keeps a message that can never be understood, with the reason, for a person to look at."""
        self._record_message(message_id, now, "poison", reason, body)

    def list_poison(self, most: int) -> list[Kept]:
        """The messages that nobody could understand and nobody decided on, newest first."""
        return [Kept(*row) for row in self._run(message_statements.LIST_POISON, most=most)]

    def find_kept(self, message_id: str) -> Kept | None:
        rows = self._run(message_statements.FIND, message_id=message_id)
        return Kept(*rows[0]) if rows else None

    def decide(self, message_id: str, verdict: Literal["retried", "dropped"]) -> bool:
        """A person's decision on poison. False where it is none, or was decided on before."""
        return bool(self._run(message_statements.DECIDE, message_id=message_id, verdict=verdict))

    def poison(self) -> Poison | None:
        """The messages that were not understood; None where all were."""
        rows = self._run(message_statements.NEWEST_POISON)
        return Poison(*rows[0]) if rows else None

    def _hold_as_ours(self, config_id: int) -> None:
        """Until the transaction ends, nobody gives the config back to the older service."""
        held = self._run(forward_statements.HOLD_CONFIG, config_id=config_id)
        if not all(is_ours for _, is_ours in held):
            raise Overtaken(
                f"config {config_id} was given back to the older service at this moment", "the message comes again"
            )

    def _record_message(self, message_id: str, now: datetime, verdict: str, reason: str | None, body: bytes) -> bool:
        reason = reason[:LONGEST_KEPT] if reason else None
        # PostgreSQL's text has no NUL.
        text = body[:LONGEST_KEPT].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        return bool(
            self._run(
                message_statements.RECORD_MESSAGE,
                message_id=message_id,
                now=now,
                verdict=verdict,
                reason=reason,
                body=text,
            )
        )
