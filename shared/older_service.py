"""The older service, to which the messages of its configs are forwarded: one POST each, as Pub/Sub made it before."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from shared.clients import UNANSWERED
from shared.errors import ServiceFailed

if TYPE_CHECKING:
    from google.auth.transport.requests import AuthorizedSession

# Its endpoint's path, the guide's.
_PATH = "/sheet-to-bigquery"
# Seconds until somebody takes the connection, and until Google gives a token.
_SECONDS_TO_CONNECT = 10
# Pub/Sub waits ten minutes for an answer at most; what is connected and noted around the call is in the rest.
_LONGEST_WAIT = 540
_TRIED_AGAIN = "Pub/Sub delivers the message again"


class NotSent(ServiceFailed):
    """The older service was not reached, or refused us: it has done nothing, and does nothing."""


class Unanswered(ServiceFailed):
    """Nobody knows what the older service did, or whether it does it still."""


class OlderService:
    """Calls it at `url` with an ID token for that address; `session` gives one that sends them.

    `timeout_seconds` is how long Cloud Run lets one of its requests go on.
    """

    def __init__(self, url: str, session: Callable[[str], "AuthorizedSession"], timeout_seconds: int) -> None:
        self._url = url.rstrip("/")
        self._session = session
        self._seconds = min(timeout_seconds, _LONGEST_WAIT)

    def post(self, message: Mapping[str, Any], begun: float) -> int:
        """Hands it a message of Pub/Sub's, and tells the status that it answers with. Its words are not read.

        `begun` is when the forward was noted, by time.monotonic: what is sent too long after that would be at work for
        longer than the forward is open. Raises `NotSent`, `Unanswered`, or `CredentialsMissing` where there is nobody
        to be.
        """
        import requests

        # One a message: a connection that was kept from before may be dead, and nobody could tell what got through.
        with self._authorized() as session:
            if time.monotonic() - begun > _SECONDS_TO_CONNECT:
                raise NotSent(f"it took too long until {self._url} could be called", _TRIED_AGAIN)
            try:
                answer = session.post(
                    f"{self._url}{_PATH}",
                    data=msgspec.json.encode({"message": message}),
                    headers={"Content-Type": "application/json"},
                    timeout=(_SECONDS_TO_CONNECT, self._seconds),
                    allow_redirects=False,
                    stream=True,
                )
            except requests.ConnectionError as error:
                raise _unheard(error) from None
            except UNANSWERED as error:
                raise Unanswered(f"the older service did not answer ({type(error).__name__})", _TRIED_AGAIN) from None
            return int(answer.status_code)

    def _authorized(self) -> "AuthorizedSession":
        """A session whose token is there, so that what fails from now on is the service."""
        from google.auth.transport.requests import Request

        try:
            session = self._session(self._url)
            if not session.credentials.valid:
                session.credentials.refresh(Request())
        except UNANSWERED as error:
            raise NotSent(
                f"Google gives no ID token for {self._url} ({type(error).__name__})",
                f"SERVICE_URL has to be the service's own address; {_TRIED_AGAIN}",
            ) from None
        return session


def _unheard(error: Exception) -> ServiceFailed:
    """Whether a connection was never there, in which case nothing was sent, or broke: TLS tells too little of when."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return NotSent(
            f"the older service is not reached ({type(reason).__name__})", f"check SERVICE_URL; {_TRIED_AGAIN}"
        )
    return Unanswered(f"the connection to the older service broke ({type(error).__name__})", _TRIED_AGAIN)
