"""Who is at the command, and what they did, as the audit keeps it."""

import os
import pwd
import socket
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from shared.acted import Acted, ActionName
from shared.ledger.store import Store


def act(
    action: ActionName,
    change: Callable[[], Mapping[str, Any] | None],
    store: Store,
    config_id: int,
    config_name: str | None,
    run_id: str | None = None,
) -> Mapping[str, Any] | None:
    """What `change` did, in one transaction with the row that tells it, in the details that it gives (as
    `shared.acted.Acted` has them). None where it changed nothing: that is not written down.
    """
    action_id = str(uuid.uuid4())
    with store.acting(action_id):
        details = change()
        if details is not None:
            told = Acted(action_id, store.now(), account_here(), action, config_id, config_name, run_id, {**details})
            store.note_action(told)
    return details


def account_here() -> str:
    """The account that the process runs as, whatever USER says, and the machine, as `ana@laptop`; the account's number
    where it has no name (in containers).
    """
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = str(os.getuid())
    return f"{account}@{socket.gethostname()}"
