"""What the local HTTP servers share: Google's error bodies, the bearer check, and serving on 127.0.0.1.

A server is a list of routes:

    def main(arguments: Sequence[str] | None = None) -> None:
        parser = server_arguments("Sheets v4 and Drive v3 over .xlsx files")
        options = parser.parse_args(arguments)
        serve(google_app(routes, require_auth=options.require_auth), options.port)
"""

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

HOST = "127.0.0.1"
# A client that holds a keep-alive connection open must not hold up `make demo`'s end.
SECONDS_TO_FINISH_REQUESTS = 1

# https://cloud.google.com/apis/design/errors#http_mapping
STATUS_OF_CODE: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}

MISSING_CREDENTIALS = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or "
    "other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)

log = logging.getLogger("local.http")


def google_error(code: int, status: str, reason: str, message: str, **extra: Any) -> JSONResponse:
    """Google's JSON error body (v1 `errors` list and v2 `status` together, as its REST APIs send it).

    `extra` is added to the error object, for example `details=[…]`.
    """
    error = {
        "code": code,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
        "status": status,
        **extra,
    }
    return JSONResponse({"error": error}, status_code=code)


def require_bearer(app: ASGIApp, open_paths: Collection[str] = ("/",)) -> ASGIApp:
    """Middleware: a request without `Authorization: Bearer …` gets Google's 401, except on `open_paths`."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in open_paths or _has_bearer(scope):
            await app(scope, receive, send)
            return
        await _unauthenticated()(scope, receive, send)

    return checked


def _has_bearer(scope: Scope) -> bool:
    scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
    return scheme.lower() == b"bearer" and bool(token.strip())


def _unauthenticated() -> JSONResponse:
    errors = [
        {
            "message": "Login Required.",
            "domain": "global",
            "reason": "required",
            "location": "Authorization",
            "locationType": "header",
        }
    ]
    return google_error(401, "UNAUTHENTICATED", "required", MISSING_CREDENTIALS, errors=errors)


def google_app(
    routes: Sequence[BaseRoute],
    *,
    require_auth: bool = False,
    open_paths: Collection[str] = ("/",),
    middleware: Sequence[Middleware] = (),
    exception_handlers: Mapping[Any, Callable[[Request, Any], Any]] | None = None,
    lifespan: Callable[[Any], AbstractAsyncContextManager[Any]] | None = None,
) -> Starlette:
    """An application that answers `GET /` with Ok, and whatever goes wrong with Google's JSON error body."""
    bearer = [Middleware(require_bearer, open_paths=open_paths)] if require_auth else []
    handlers: dict[Any, Callable[[Request, Any], Any]] = {
        HTTPException: _http_error,
        Exception: _internal_error,
        **(exception_handlers or {}),
    }
    return Starlette(
        routes=[Route("/", _ok), *routes],
        middleware=[*bearer, *middleware],
        exception_handlers=handlers,
        lifespan=lifespan,
    )


async def _ok(_: Request) -> Response:
    return PlainTextResponse("Ok")


async def _http_error(request: Request, error: HTTPException) -> Response:
    """What no route serves: never a silent 200."""
    code = error.status_code
    message = f"{error.detail}: {request.method} {request.url.path} is not served here"
    reason = "notFound" if code == 404 else "notImplemented" if code in (405, 501) else "invalid"
    return google_error(code, STATUS_OF_CODE.get(code, "UNKNOWN"), reason, message)


async def _internal_error(request: Request, error: Exception) -> Response:
    message = f"{type(error).__name__} in {request.method} {request.url.path}: see the server's log"
    return google_error(500, "INTERNAL", "internalError", message)


def server_arguments(description: str) -> argparse.ArgumentParser:
    """The options that every local server takes; add its own to them."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--require-auth", action="store_true", help="answer 401 without a bearer token")
    return parser


def serve(app: ASGIApp, port: int) -> None:
    """Serve `app` on 127.0.0.1 until SIGTERM or SIGINT, then exit 0; logs go to stderr.

    Exits 1 with one clear line if the port is taken.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    listener = _listen(port)
    log.info("serving on http://%s:%d", HOST, listener.getsockname()[1])
    # uvicorn raises the signal again after its own shutdown: this is what then ends the process.
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, _exit)
    settings = uvicorn.Config(
        app,
        log_config=None,
        access_log=True,
        timeout_graceful_shutdown=SECONDS_TO_FINISH_REQUESTS,
        # A client pools connections; closing idle ones early makes it meet resets.
        timeout_keep_alive=75,
    )
    uvicorn.Server(settings).run(sockets=[listener])


def _listen(port: int) -> socket.socket:
    # asyncio turns Nagle's delay off only where it sees that the protocol is TCP: 40 ms a request otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        raise SystemExit(f"cannot listen on {HOST}:{port}: {error.strerror}; choose another --port") from error
    return listener


def _exit(_signal: int, _frame: FrameType | None) -> None:
    # By now all is closed. Python would take apart what it has loaded before the kernel takes it whole.
    os._exit(0)
