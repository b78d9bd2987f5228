"""Doing what a form asks: once, however often it is sent, with a row that says who did what, and a line in the log."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from console.visit import Visit
from shared import log
from shared.acted import Acted, ActionName
from shared.errors import SyncError
from shared.failpoints import failpoint

# As a part of an address: no id is larger in PostgreSQL.
CONFIG = "<int(min=1, max=9223372036854775807):config_id>"


class NotPossible(SyncError):
    """What was asked does not go with how things are by now."""


class Change(msgspec.Struct, frozen=True):
    """What was changed, or asked for, as the audit keeps it (`shared.acted.Acted`)."""

    config_id: int | None
    config_name: str | None
    run_id: str | None = None
    details: dict[str, Any] = {}

    @classmethod
    def of_row(cls, row: Mapping[str, Any], **details: Any) -> "Change":
        """A change of a config, by its row."""
        told = {name: value for name, value in details.items() if value is not None}
        return cls(row["id"], row.get("name"), details=told)


class Done(msgspec.Struct, frozen=True):
    """An action that was done, now (`is_new`) or when the same form came before."""

    acted: Acted
    is_new: bool


def act_once(visit: Visit, action: ActionName, change: Callable[[], Change], action_id: str | None = None) -> Done:
    """What `change` did, in one transaction with the row that tells it; or what the same form did before.

    `action_id` is another than the form's for what can be done once alone, by whichever form.
    """
    action_id = action_id or visit.action_id
    with visit.store.acting(action_id) as before:
        if before is not None:
            return Done(before, is_new=False)
        changed = msgspec.structs.asdict(change())
        failpoint("console.before_note")
        acted = Acted(action_id, visit.now, visit.who, action, **changed)
        visit.store.note_action(acted)
    failpoint("console.after_act")
    log.info("acted", action=action, config_id=acted.config_id, run_id=acted.run_id, acted_by=acted.acted_by)
    return Done(acted, is_new=True)
