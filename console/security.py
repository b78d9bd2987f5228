"""What every answer says to browsers, and what a form has to prove before it acts."""

import hmac
import secrets
from urllib.parse import parse_qsl

import flask
from werkzeug.exceptions import HTTPException

from shared.errors import InvalidInput, SyncError

# The cookie and the hidden field of a form that have to be equal: another site can neither read our cookie nor send it
# with a form (SameSite=Lax). A link from there brings it: with a new one, the forms of open pages would be refused.
COOKIE = "console_form"
FIELD = "form_token"
_TOKEN_BYTES = 32
# Bytes of a form: all fields of the largest one as long as they may be, each character as twelve of them. And no form
# has so many fields.
_LARGEST_FORM = 1_000_000
_MOST_FIELDS = 50

# Nothing but our own files, no inline script or style, in nobody's frame.
_POLICY = "; ".join(
    f"{directive} {source}"
    for directive, source in {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }.items()
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: it makes the Origin of our own forms null, which browsers without Sec-Fetch-Site are known by.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ForeignForm(SyncError):
    """A form that was not sent from one of our own pages."""


class FormTooLarge(InvalidInput):
    """More was sent than any form of ours holds."""


def secure(response: flask.Response) -> flask.Response:
    """The answer with what all of them say; what says nothing of keeping it is not to be kept."""
    response.headers.update(_HEADERS)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def form_token(request: flask.Request) -> str:
    """The token that this browser's forms carry, a new one where it has none."""
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(_TOKEN_BYTES)


def keep_token(response: flask.Response, token: str, *, by_https: bool) -> None:
    """Lets the browser keep the token until it is closed, out of every script's reach; where people come `by_https`, by
    that alone.

    What a request says of https is of no use: Cloud Run says so behind `gcloud run services proxy` too, which browsers
    ask by http on their own machine, and not all of them (Safari) keep a Secure cookie from there.
    """
    response.set_cookie(COOKIE, token, httponly=True, samesite="Lax", secure=by_https, path="/")


def checked_form(request: flask.Request) -> dict[str, str]:
    """The form's fields, the first of each name. Raises `ForeignForm` unless it comes from a page of ours, in the
    browser that got it, `FormTooLarge`, and `InvalidInput` for one that nobody fills in.
    """
    refused = ForeignForm("this form did not come from the console's own page", "open the page again, and send it then")
    fields = _form(request)
    kept, sent = request.cookies.get(COOKIE, ""), fields.get(FIELD, "")
    if not kept or not hmac.compare_digest(kept.encode(), sent.encode()):
        raise refused
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        raise refused
    origin = request.headers.get("Origin")
    # Where a proxy changed the Host, the browser's own word (Sec-Fetch-Site) is the better one.
    if site is None and origin is not None and origin.partition("://")[2] != request.host:
        raise refused
    return fields


def _form(request: flask.Request) -> dict[str, str]:
    """The fields of a form as browsers send ours; none where something else was sent."""
    too_large = FormTooLarge("more was sent than any form here holds", "shorten it, and send it again")
    try:
        # Not with werkzeug's limits: the framework reads what is left, and those would refuse it then.
        body = request.get_data()
    except HTTPException as error:  # who sent it has hung up
        raise InvalidInput("the form cannot be read", "open the page again, and send it then") from error
    if len(body) > _LARGEST_FORM:
        raise too_large
    if request.mimetype != "application/x-www-form-urlencoded":
        return {}
    try:
        sent = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise too_large from error
    if any("\0" in value for _, value in sent):
        raise InvalidInput("the form has a NUL character in it", "leave it out")
    return dict(reversed(sent))
