"""The portal's messages that waited for a run of the job's when their config went back: the service gets them."""

from collections.abc import Sequence

from commands.poison import publish_again
from commands.screen import Screen
from shared.errors import DatabaseUnavailable, SyncError
from shared.ledger.store import Store
from shared.wiring import Wiring


def return_messages(config_ids: Sequence[int], store: Store, wiring: Wiring, screen: Screen) -> tuple[set[int], bool]:
    """Publishes each config's newest again, from where it is forwarded. Tells the configs, and whether all are done.

    Whoever is killed between publishing and noting it publishes twice: the service then loads twice, one after another.
    """
    returned: set[int] = set()
    done = True
    for config_id, messages in store.unanswered_messages(config_ids).items():
        newest = messages[0]
        if not newest.is_whole:
            screen.trouble(
                f"config {config_id}: a message of the portal's waited for a run that is cancelled, and only a part of"
                " it was kept: have the portal publish it again"
            )
            done = False
            continue
        try:
            publish_again(newest, wiring)
        except DatabaseUnavailable:
            raise
        except SyncError as error:
            screen.trouble(f"config {config_id}: its message is not with the service yet: {error.name}: {error}")
            done = False
            continue
        store.note_returned(messages)
        returned.add(config_id)
    # A newer one may have come between an earlier call's death and this one.
    store.note_answered()
    return returned, done
