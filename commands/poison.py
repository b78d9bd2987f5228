"""`job_helper.py poison`: messages that nobody could understand, each with its reason, until somebody decides on it."""

from collections.abc import Mapping, Sequence

from commands.exits import SUCCEEDED
from commands.moments import shown
from commands.screen import Screen
from shared.asking import BRIEF_RETRY, SECONDS, asking
from shared.errors import InvalidInput
from shared.ledger.store import Store, open_store
from shared.messages import Kept
from shared.settings import read_database
from shared.wiring import Wiring

_COLUMNS = ("MESSAGE", "RECEIVED (UTC)", "REASON")
_LISTED = 100


def list_poison(environ: Mapping[str, str], screen: Screen) -> int:
    """The newest first."""
    with open_store(read_database(environ)) as store:
        found = store.list_poison(_LISTED)
    if found:
        screen.table(_COLUMNS, [(each.message_id, shown(each.received_at), each.reason) for each in found])
    else:
        screen.say("All messages were understood, or were decided on.")
    screen.json(found)
    return SUCCEEDED


def show_poison(ids: Sequence[str], environ: Mapping[str, str], screen: Screen) -> int:
    """Each with its body, which is what somebody published: it is shown to who asks for it, and logged nowhere."""
    with open_store(read_database(environ)) as store:
        found = [_find(message_id, store) for message_id in ids]
    for each in found:
        screen.say(f"message   {each.message_id}")
        screen.say(f"received  {shown(each.received_at)} UTC")
        screen.say(f"verdict   {each.verdict}")
        screen.say(f"reason    {each.reason or ''}")
        screen.say(f"body      {each.body}{'' if each.is_whole else ' … (the rest was not kept)'}")
        screen.say()
    screen.json(found)
    return SUCCEEDED


def drop_poison(ids: Sequence[str], environ: Mapping[str, str], screen: Screen) -> int:
    """Marks each as dropped: nobody is shown it any more."""
    with open_store(read_database(environ)) as store:
        for each in [_find_poison(message_id, store) for message_id in ids]:
            store.decide(each.message_id, "dropped")
            screen.say(f"dropped {each.message_id}")
    screen.json(list(ids))
    return SUCCEEDED


def retry_poison(ids: Sequence[str], environ: Mapping[str, str], screen: Screen) -> int:
    """Publishes each again, which gives it an id of its own, and then marks it as retried.

    A crash between the two leaves it where it was. Raises `InvalidInput`, with nothing published, where one is not
    poison, or was not kept whole.
    """
    wiring = Wiring(environ)
    with wiring.store() as store:
        found = [_find_poison(message_id, store) for message_id in ids]
        for each in found:
            if not each.is_whole:
                raise InvalidInput(
                    f"of message {each.message_id} only a part was kept",
                    "have it sent again from where it came, and drop this one",
                )
        for each in found:
            published = publish_again(each, wiring)
            store.decide(each.message_id, "retried")
            screen.say(f"published {each.message_id} again as {published}")
    screen.json(list(ids))
    return SUCCEEDED


def publish_again(message: Kept, wiring: Wiring) -> str:
    """Publishes what was kept to the topic that it came to, and tells its new id."""
    from google.pubsub_v1 import PubsubMessage

    settings = wiring.settings
    match message.topic:
        case "completions":
            name = settings.completion_topic
        case "portal":
            name = settings.portal_topic
        case "requests":
            name = settings.request_topic
    topic = settings.topic(name)
    with asking(f"Pub/Sub's {topic}", missing="deploy the system", refused="grant roles/pubsub.publisher on it"):
        answer = wiring.clients.publisher.publish(
            topic=topic, messages=[PubsubMessage(data=message.body.encode())], timeout=SECONDS, retry=BRIEF_RETRY
        )
    return answer.message_ids[0]


def _find(message_id: str, store: Store) -> Kept:
    found = store.find_kept(message_id)
    if found is None:
        raise InvalidInput("no message has this id", "`job_helper.py poison` lists those that were not understood")
    return found


def _find_poison(message_id: str, store: Store) -> Kept:
    found = _find(message_id, store)
    if found.verdict != "poison":
        raise InvalidInput(f"message {message_id} is {found.verdict}, not poison", "leave it out")
    return found
