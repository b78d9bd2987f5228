"""What goes over the wire: bytes counted, and answers kept, so that a later run does not wait for the server."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEASURED_PATH = "/measured"
KEPT_PATHS = "/v4/"


@dataclass
class Traffic:
    """Bytes of bodies as they are sent, compressed ones as compressed; `rows` are those that were loaded."""

    requests: int = 0
    downloaded_bytes: int = 0
    uploaded_bytes: int = 0
    rows: int = 0

    def take(self) -> Mapping[str, int]:
        """What was counted since the last call."""
        counted = asdict(self)
        self.requests = self.downloaded_bytes = self.uploaded_bytes = self.rows = 0
        return counted


def measured_route(traffic: Traffic) -> Route:
    """`POST /measured` answers what was counted since the last such call."""

    async def measured(_: Request) -> Response:
        return JSONResponse(dict(traffic.take()))

    return Route(MEASURED_PATH, measured, methods=["POST"])


def counted(app: ASGIApp, traffic: Traffic) -> ASGIApp:
    """Middleware: adds every request's bytes to `traffic`."""

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ("/", MEASURED_PATH):
            await app(scope, receive, send)
            return
        traffic.requests += 1

        async def counting_receive() -> Message:
            message = await receive()
            traffic.uploaded_bytes += len(message.get("body", b""))
            return message

        async def counting_send(message: Message) -> None:
            traffic.downloaded_bytes += len(message.get("body", b""))
            await send(message)

        await app(scope, counting_receive, counting_send)

    return counting


def kept(app: ASGIApp) -> ASGIApp:
    """Middleware: the same question about the spreadsheet gets the same bytes again."""
    answers: dict[tuple[bytes, bytes, bool], list[Message]] = {}

    async def keeping(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(KEPT_PATHS):
            await app(scope, receive, send)
            return
        compressed = b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")
        question = (scope["raw_path"], scope["query_string"], compressed)
        if question not in answers:
            answers[question] = await _answer(app, scope, receive)
        for message in answers[question]:
            await send(message)

    return keeping


async def _answer(app: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
    messages: list[Message] = []

    async def remember(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, remember)
    return messages
