"""Notify: tell people what was noted with runs' ends; who does not listen delays nothing and is given up in the end."""

import time
from collections.abc import Sequence
from datetime import timedelta

from shared import log
from shared.channels import Channel, NotTold
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.notices import Notice
from shared.retry import retry_at

# How long one call goes on; the next sweep has the rest.
_SECONDS = 8
# Longer than telling one notice takes: until then nobody else has it.
_TAKEN_SECONDS = 120
# After a failed attempt, half a minute, then twice as long, and so on: ten attempts are some three hours.
_FIRST_SECONDS = 30
_MOST_ATTEMPTS = 10


def notify(store: Store, channels: Sequence[Channel]) -> int:
    """Tells each notice that waits to each channel that has not taken it, and how many were told to all.

    A notice is told once, or twice where the process died between telling and noting it. A channel that fails is not
    asked again in this call.
    """
    if not channels:
        store.close_notices(store.now())
        return 0
    begun, told = time.monotonic(), 0
    silent: set[str] = set()
    while len(silent) < len(channels) and time.monotonic() - begun < _SECONDS:
        now = store.now()
        notice = store.take_notice(now, now + timedelta(seconds=_TAKEN_SECONDS))
        if notice is None:
            break
        told += _tell(notice, channels, silent, store)
    return told


def _tell(notice: Notice, channels: Sequence[Channel], silent: set[str], store: Store) -> bool:
    heard = set(notice.heard)
    run = notice.run
    ids = {"run_id": run.id, "config_id": run.config_id, "kind": notice.kind}
    for channel in channels:
        if channel.name in heard or channel.name in silent:
            continue
        failpoint("notify.before_send")
        try:
            channel.tell(notice)
        except NotTold as error:
            silent.add(channel.name)
            log.warning("not_told", **ids, channel=channel.name, attempt=notice.attempts, error=str(error))
        else:
            heard.add(channel.name)
            log.info("told", **ids, channel=channel.name)
    failpoint("notify.after_send")
    now = store.now()
    unheard = [channel.name for channel in channels if channel.name not in heard]
    given_up = bool(unheard) and notice.attempts >= _MOST_ATTEMPTS
    if given_up:
        log.error("notice_given_up", **ids, channels=unheard)
    again = retry_at(now, notice.attempts - 1, _FIRST_SECONDS)
    store.note_notice(notice, sorted(heard), again, now if given_up or not unheard else None)
    return not unheard
