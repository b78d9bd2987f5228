"""`job_helper.py run`: runs configs once by hand, through the request topic as anybody's message does."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from commands.exits import FAILED, INTERRUPTED, SUCCEEDED, TIMED_OUT
from commands.ledger import Ledger
from commands.named import find_named
from commands.progress import ENDED, Step, WaitedLongEnough, follow
from commands.runs import draw_runs, step_of
from commands.screen import Screen
from shared.asking import BRIEF_RETRY, SECONDS, asking
from shared.ledger.store import Store
from shared.run import Run
from shared.wiring import Wiring


class Request(msgspec.Struct, frozen=True):
    """A message that was published for a config."""

    message_id: str
    config_id: int
    name: str


class Requested(msgspec.Struct, frozen=True):
    """What became of a request; `run` where one was recorded for it."""

    request: Request
    state: str
    told: str = ""
    run: Run | None = None

    @property
    def step(self) -> Step:
        request = self.request
        return step_of(self.run) if self.run else Step(request.message_id, request.name, self.state, self.told)


def run_configs(
    wanted: Sequence[str],
    allow_shrink: bool,
    wait: bool,
    seconds: float | None,
    environ: Mapping[str, str],
    screen: Screen,
) -> int:
    """Requests one run of each config (an id, or a name), and waits for their ends, `seconds` at most.

    With `allow_shrink`, the option max_shrink holds none of these runs back.

    Raises `UnknownConfig` or `AmbiguousName` before anything is requested.
    """
    wiring = Wiring(environ)
    with wiring.store() as store:
        rows = {row["id"]: row for row in (find_named(each, store) for each in wanted)}
    requests = _publish(wiring, rows, {"allow_shrink": True} if allow_shrink else {})
    if not wait:
        for request in requests:
            screen.say(f"requested {request.config_id} {request.name} with message {request.message_id}")
        screen.json([Requested(request, "requested") for request in requests])
        return SUCCEEDED
    with Ledger(wiring.store, screen) as ledger:
        return _wait(requests, seconds, ledger, screen)


def _publish(wiring: Wiring, rows: Mapping[int, Mapping[str, Any]], allowed: dict[str, bool]) -> list[Request]:
    from google.pubsub_v1 import PubsubMessage

    topic = wiring.settings.topic(wiring.settings.request_topic)
    messages = [PubsubMessage(data=msgspec.json.encode({"config_id": config_id} | allowed)) for config_id in rows]
    missing = "deploy the system, or correct REQUEST_TOPIC and GOOGLE_CLOUD_PROJECT"
    with asking(f"Pub/Sub's {topic}", missing=missing, refused="grant roles/pubsub.publisher on it to this identity"):
        publisher = wiring.clients.publisher
        answer = publisher.publish(topic=topic, messages=messages, timeout=SECONDS, retry=BRIEF_RETRY)
    named = zip(answer.message_ids, rows.items(), strict=True)
    return [Request(message_id, config_id, row["name"]) for message_id, (config_id, row) in named]


def _wait(requests: Sequence[Request], seconds: float | None, ledger: Ledger, screen: Screen) -> int:
    def look() -> list[Step]:
        return [each.step for each in ledger.ask(lambda store: _look(store, requests))]

    code = None
    try:
        follow(look, screen, seconds)
    except WaitedLongEnough:
        screen.trouble(f"not all have ended after {seconds:g} s; they go on: `python job_helper.py runs` shows them")
        code = TIMED_OUT
    except KeyboardInterrupt:
        screen.trouble("the runs go on: `python job_helper.py runs` shows them")
        return INTERRUPTED
    found = ledger.ask(lambda store: _look(store, requests))
    _report(found, screen)
    return code if code is not None else _code(found)


def _look(store: Store, requests: Sequence[Request]) -> list[Requested]:
    return [_requested(store, request) for request in requests]


def _requested(store: Store, request: Request) -> Requested:
    heard = store.find_message(request.message_id)
    if heard is None:
        return Requested(request, "requested")
    if heard.verdict != "accepted":
        return Requested(request, "refused", heard.reason or "")
    standing = store.find_run(heard.run_id) if heard.run_id else None
    if standing is None:
        # Its run was taken up, or cleaned away, at the very moment when the request joined it.
        return Requested(request, "unknown", "it joined a run that has begun: `python job_helper.py runs` shows it")
    return Requested(request, standing.run.state, run=standing.run)


def _report(found: Sequence[Requested], screen: Screen) -> None:
    runs = [each.run for each in found if each.run]
    if runs:
        draw_runs(runs, screen)
    for each in found:
        if each.run is None and each.state in ENDED:
            screen.trouble(f"{each.request.config_id} {each.request.name}: {each.state}: {each.told}")
    screen.json(found)


def _code(found: Sequence[Requested]) -> int:
    return SUCCEEDED if all(each.state == "succeeded" for each in found) else FAILED
