"""What Cloud Run does in front of a service that is not public: no request passes without an ID token for it.

https://cloud.google.com/run/docs/authenticating/service-to-service
"""

from google.auth import jwt
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response


class Gate:
    """Lets ID tokens pass that are signed with the account's key, for this audience."""

    def __init__(self, certificate: bytes, audience: str) -> None:
        self._certificate = certificate
        self._audience = audience

    def refusal(self, request: Request) -> Response | None:
        """What a request without such a token gets; None for one that may pass."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise ValueError("no bearer token")
            jwt.decode(token, certs=self._certificate, audience=self._audience)
        except ValueError:
            return PlainTextResponse(
                "The request was not authenticated. Either allow unauthenticated invocations or set the proper "
                "Authorization header.",
                status_code=401,
            )
        return None
