"""dispatch: Cloud Scheduler's HTTP target. `POST /run` (or `/`) dispatches, `POST /sweep` sweeps."""

from typing import Any

import flask
import functions_framework

from shared import log
from shared.dispatch import DispatchRequest
from shared.dispatch import dispatch as dispatch_due
from shared.errors import InvalidInput, SyncError
from shared.parse import parse, parse_object
from shared.sweep import sweep
from shared.wiring import wiring


@functions_framework.http
def dispatch(request: flask.Request) -> tuple[dict[str, Any], int] | tuple[dict[str, Any], int, dict[str, str]]:
    """Answers at once: the runs go on in executions of their own."""
    if request.method != "POST":
        told = _problem("MethodNotAllowed", f"{request.method} is not answered: POST to /run or /sweep")
        return told, 405, {"Allow": "POST"}
    try:
        match request.path.rstrip("/"):
            case "" | "/run":
                return _dispatch(request.get_data()), 200
            case "/sweep":
                return _sweep(), 200
        return _problem("NotFound", f"{request.path} is not answered: POST to /run or /sweep"), 404
    except InvalidInput as error:
        return _problem(error.name, str(error)), 400
    except SyncError as error:
        log.error("refused", path=request.path, error_class=error.name, error=str(error))
        return _problem(error.name, str(error)), 503 if error.retryable else 500


def _dispatch(body: bytes) -> dict[str, Any]:
    raw = parse_object(body, "the request's body") if body.strip() else {}
    wanted = parse(DispatchRequest, raw, "the request's body", known_only=True)
    with wiring().store() as store:
        return dispatch_due(wanted, store, wiring().publish, wiring().settings).answer()


def _sweep() -> dict[str, int]:
    here = wiring()
    with here.store() as store:
        return sweep(store, here.bigquery, here.executions, here.publish, here.settings, here.channels)


def _problem(name: str, told: str) -> dict[str, Any]:
    return {"error": {"class": name, "message": told}}
