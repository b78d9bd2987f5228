"""Cloud Scheduler's two jobs: dispatch is called every five minutes, its sweep every minute.

    python -m local.scheduler --port 8086 --dispatch http://127.0.0.1:8080 --key-file key.json

As in the cloud a call that fails is logged and not repeated: the next one makes up for it.
"""

import contextlib
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.credentials import identity_token
from local.http import google_app, serve, server_arguments
from local.ports import direct

# Seconds between calls, as deployed.
RUN_EVERY = 300
SWEEP_EVERY = 60
# Cloud Scheduler's default deadline of an attempt.
SECONDS_TO_ANSWER = 180

log = logging.getLogger("local.scheduler")


def call(dispatch: str, path: str, key_file: Path, body: bytes = b"") -> bytes:
    """One call as Cloud Scheduler makes it, with an OIDC token; returns the answer's body.

    Raises `urllib.error.HTTPError` if the function answers with an error. The headers are documented at
    https://cloud.google.com/scheduler/docs/reference/rpc/google.cloud.scheduler.v1#httptarget
    """
    headers = {
        "Authorization": f"Bearer {identity_token(key_file, audience=dispatch)}",
        "Content-Type": "application/json" if body else "application/octet-stream",
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": "orchestrator-schedule" if path == "/run" else "sweep-schedule",
        "X-CloudScheduler-ScheduleTime": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    request = urllib.request.Request(f"{dispatch}{path}", data=body, headers=headers)  # noqa: S310
    with direct.open(request, timeout=SECONDS_TO_ANSWER) as answer:
        return bytes(answer.read())


def repeat(every: float, action: Callable[[], Any], ended: threading.Event) -> None:
    """Run `action` each `every` seconds, however long it takes, until `ended`; what it raises is logged."""
    planned = time.monotonic() + every
    while not ended.wait(max(planned - time.monotonic(), 0)):
        planned += every
        try:
            action()
        except OSError as error:
            log.warning("a call failed: %s", error)


def main(arguments: Sequence[str] | None = None) -> None:
    """Call until SIGTERM."""
    parser = server_arguments("Calls dispatch by the clock, as Cloud Scheduler does")
    parser.add_argument("--dispatch", required=True, help="the dispatch function's URL")
    parser.add_argument("--key-file", type=Path, required=True, help="the service account's key file")
    options = parser.parse_args(arguments)
    ended = threading.Event()

    @contextlib.asynccontextmanager
    async def calling(_: Any) -> AsyncIterator[None]:
        for path, every in (("/run", RUN_EVERY), ("/sweep", SWEEP_EVERY)):

            def action(path: str = path) -> None:
                call(options.dispatch, path, options.key_file)
                log.info("called %s", path)

            threading.Thread(target=repeat, args=(every, action, ended), daemon=True).start()
        yield
        ended.set()

    serve(google_app([], lifespan=calling), options.port)


if __name__ == "__main__":
    main()
