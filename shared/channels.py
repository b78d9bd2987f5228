"""The channels by which people hear of a run's end: Slack, and a plain webhook. One POST each, in a few seconds."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

import msgspec

from shared.errors import ServiceUnavailable
from shared.notices import Notice

# Who is silent for so long is asked again later; so is who still talks after twice that.
_SECONDS = 4
# Of an answer's body; Slack's has a few hundred bytes.
_MOST_BYTES = 65_536
_SLACK = "https://slack.com/api"


class NotTold(ServiceUnavailable):
    """A channel did not take a notice; it is tried again a few times."""


class Channel(Protocol):
    """Where notices go. `name` is what the ledger remembers it by."""

    name: str

    def tell(self, notice: Notice) -> None:
        """Delivers the notice. Raises `NotTold`."""


class _SlackAnswer(msgspec.Struct):
    ok: bool = False
    error: str = ""


class Slack:
    """Slack's chat.postMessage (api.slack.com/methods/chat.postMessage) with a bot's token."""

    name = "slack"

    def __init__(self, token: str, channel: str, endpoint: str | None = None) -> None:
        self._token = token
        self._channel = channel
        self._url = f"{(endpoint or _SLACK).rstrip('/')}/chat.postMessage"

    def tell(self, notice: Notice) -> None:
        body = msgspec.json.encode(
            {
                "channel": self._channel,
                "text": slack_text(notice),
                # Names and errors are text, not markup; nobody is called by one, and no page is fetched.
                "mrkdwn": False,
                "parse": "none",
                "link_names": False,
                "unfurl_links": False,
                "unfurl_media": False,
            }
        )
        answer = _post(self.name, self._url, body, {"Authorization": f"Bearer {self._token}"})
        try:
            told = msgspec.json.decode(answer, type=_SlackAnswer)
        except msgspec.DecodeError:
            raise NotTold("slack: the answer cannot be read", "it is tried again") from None
        if not told.ok:
            reason = told.error if told.error.replace("_", "").isalnum() and len(told.error) < 80 else "no reason"
            raise NotTold(
                f"slack refuses the message ({reason})",
                "check slack_accessToken and SLACK_CHANNEL, and invite the bot to the channel",
            )


class Webhook:
    """Any address that takes a POST of JSON and answers with a 2xx."""

    name = "webhook"

    def __init__(self, url: str) -> None:
        self._url = url

    def tell(self, notice: Notice) -> None:
        _post(self.name, self._url, notice.body(), {})


def slack_text(notice: Notice) -> str:
    """The notice in Slack's markup, of which only the link is any.

    Escaped as api.slack.com/reference/surfaces/formatting#escaping says, so that no name becomes a link or a mention.
    """
    lines = [_escaped(line) for line in notice.lines()]
    if notice.link:
        lines.append(f"<{_escaped(notice.link)}|open the sheet>")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _post(name: str, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The body of a 2xx answer; a redirection is none. No message quotes the address: it may be a secret."""
    parts = urlsplit(url)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        with contextlib.closing(_connection(parts)) as connection:
            connection.connect()
            with _hanging_up(connection.sock):
                connection.request("POST", path, body, {"Content-Type": "application/json; charset=utf-8", **headers})
                answer = connection.getresponse()
                status, told = answer.status, answer.read(_MOST_BYTES)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotTold(f"{name} does not answer ({type(error).__name__})", "it is tried again") from None
    if not 200 <= status < 300:
        raise NotTold(f"{name} answers {status}", "it is tried again")
    return told


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=_SECONDS)
    return http.client.HTTPSConnection(host, parts.port, timeout=_SECONDS, context=ssl.create_default_context())


@contextlib.contextmanager
def _hanging_up(conversation: socket.socket) -> Iterator[None]:
    """Ends what takes too long from outside: a byte a second would reset a socket's own time-out for ever."""

    def hang_up() -> None:
        with contextlib.suppress(OSError):
            conversation.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(2 * _SECONDS, hang_up)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
