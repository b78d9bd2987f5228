"""Who asks: nobody is served a page, or acts, without a name.

Three ways, and each deployment has one of them:
- Identity-Aware Proxy signs a header; it is proved here, because who reaches the service around the proxy could write
  any (cloud.google.com/iap/docs/signed-headers-howto).
- Cloud Run lets in who presents an ID token of somebody with roles/run.invoker. It has checked that token when we see
  it, and put SIGNATURE_REMOVED_BY_GOOGLE in place of its signature. Of two headers it checks one alone
  (cloud.google.com/run/docs/authenticating/service-to-service): so do we.
- On a machine of one's own, a setting says who; where that machine's own name was asked alone: any page can have its
  name lead to that machine (DNS rebinding), and would read and act as that person.
"""

import base64
import binascii
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

from shared.console_settings import Console
from shared.errors import ServiceUnavailable, SyncError

ASSERTION = "X-Goog-IAP-JWT-Assertion"
_ISSUER = "https://cloud.google.com/iap"
# Cloud Run's choice where both are there.
_CHECKED_HEADERS = ("x-serverless-authorization", "authorization")
_REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"
# The proxy's keys change by the day; one that is not known is asked for at once, but not more often than this.
_SECONDS_BETWEEN_LOOKS = 60
_CLOCK_SKEW_SECONDS = 30
# A Host header's, with any port: tunnels and containers change that.
_OWN_MACHINE = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?", re.IGNORECASE)

Keys = Callable[[], Mapping[str, str]]


class NotSignedIn(SyncError):
    """Nobody is known to be asking."""


class ForeignHost(SyncError):
    """A console on somebody's own machine, asked by a name that is not that machine's."""


class ProxyKeys:
    """Identity-Aware Proxy's public keys by their ids, kept between requests; `fetch` gets them all."""

    def __init__(self, fetch: Keys, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, str] = {}
        self._looked_at: float | None = None

    def find(self, key_id: str) -> str | None:
        """The key, or None where the proxy has none of that id."""
        now = self._clock()
        if key_id not in self._keys and (self._looked_at is None or now - self._looked_at >= _SECONDS_BETWEEN_LOOKS):
            self._keys = self._fetch()
            self._looked_at = now
        return self._keys.get(key_id)


def fetch_proxy_keys(address: str = "https://www.gstatic.com/iap/verify/public_key") -> Mapping[str, str]:
    """The keys in PEM, by their ids. Raises `ServiceUnavailable`."""
    import requests

    try:
        answer = requests.get(address, timeout=10)
        answer.raise_for_status()
        return msgspec.convert(answer.json(), dict[str, str])
    except (requests.RequestException, ValueError) as error:
        raise ServiceUnavailable(
            f"Identity-Aware Proxy's keys could not be had ({type(error).__name__})", "try again"
        ) from error


def identify(headers: Mapping[str, str], console: Console, keys: ProxyKeys) -> str:
    """The email of who asks. Raises `NotSignedIn`, `ForeignHost`, and `ServiceUnavailable` where nobody can tell for
    now."""
    # WSGI, and so a request's headers, spell a name in another way than its sender did.
    sent = {name.casefold(): value for name, value in headers.items()}
    if console.console_audience:
        return _by_proxy(sent.get(ASSERTION.casefold(), ""), console.console_audience, keys)
    if console.k_service:
        return _by_cloud_run(sent)
    if console.console_user:
        _refuse_foreign_host(sent.get("host", ""))
        return console.console_user
    raise NotSignedIn("nobody is signed in", "set CONSOLE_USER to your address, on a machine of your own")


def _refuse_foreign_host(host: str) -> None:
    if not _OWN_MACHINE.fullmatch(host):
        raise ForeignHost(
            "a console that CONSOLE_USER is set for is its own machine's alone",
            "open it there, by localhost or 127.0.0.1; for others, deploy it",
        )


def _by_proxy(assertion: str, audience: str, keys: ProxyKeys) -> str:
    refused = NotSignedIn("nobody is signed in", "open the console's address that Identity-Aware Proxy guards")
    try:
        header = jwt.decode_header(assertion)
        # The proxy's algorithm alone: a token must not choose how it is proved.
        key = keys.find(str(header.get("kid"))) if header.get("alg") == "ES256" else None
        if key is None:
            raise refused
        claims = jwt.decode(assertion, key, audience=audience, clock_skew_in_seconds=_CLOCK_SKEW_SECONDS)
    except (GoogleAuthError, ValueError):
        raise refused from None
    if claims.get("iss") != _ISSUER:
        raise refused
    return _email(claims)


def _by_cloud_run(headers: Mapping[str, str]) -> str:
    checked = next((headers[name] for name in _CHECKED_HEADERS if headers.get(name)), "")
    scheme, _, token = checked.partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3 or parts[2] != _REMOVED:
        raise NotSignedIn(
            "nobody is signed in", "`gcloud run services proxy` opens the console as you, or deploy it behind a proxy"
        )
    return _email(_claims(parts[1]))


def _claims(encoded: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)), type=dict[str, Any])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return {}


def _email(claims: Mapping[str, Any]) -> str:
    email = claims.get("email")
    if not isinstance(email, str) or not email.strip() or claims.get("email_verified") is False:
        raise NotSignedIn("the token names no address", "ask for it with the scope `email` (--include-email)")
    return email.strip()
