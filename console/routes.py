"""Every address of the console: who asks, which page or action it is, and what is answered where that fails."""

import functools
from typing import Any

import flask
import msgspec
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule

from console import security
from console.identity import NotSignedIn, ProxyKeys, fetch_proxy_keys, identify
from console.pages import config, migration, overview, plan, run
from console.rendering import render, static_file
from console.visit import Action, Page, PageMissing, Site, Visit
from shared import log
from shared.errors import InvalidInput, SyncError, UnknownConfig
from shared.ledger.store import Store
from shared.wiring import Wiring


class MethodRefused(SyncError):
    """The address is there, but not for this method."""


SITE = Site(pages=(overview.PAGE, migration.PAGE, config.PAGE, run.PAGE, plan.PAGE))
# By the first that fits.
_STATUSES: tuple[tuple[type[SyncError], int], ...] = (
    (NotSignedIn, 401),
    (security.ForeignForm, 403),
    (PageMissing, 404),
    (UnknownConfig, 404),
    (MethodRefused, 405),
    (InvalidInput, 400),
)
_TITLES = {400: "Not understood", 401: "Not signed in", 403: "Refused", 404: "Not found", 405: "Not possible here"}


class _Twin:
    """A page's other address, at which it is JSON."""

    def __init__(self, page: Page) -> None:
        self.page = page


class _File:
    """The address of a file of ours."""


def answer(request: flask.Request, here: Wiring, site: Site = SITE) -> flask.Response:
    """The answer to any request: a page, its JSON twin, a file, or where an action leads to."""
    try:
        response = _answer(request, here, site)
    except SyncError as error:
        response = _problem(request, error, site)
    return security.secure(response)


def _answer(request: flask.Request, here: Wiring, site: Site) -> flask.Response:
    endpoint, path = _match(request, site)
    if isinstance(endpoint, _File):
        return _file(request, path["name"])
    who = identify(dict(request.headers), here.console, _keys())
    token = security.form_token(request)
    if isinstance(endpoint, Action):
        security.check_form(request)
    with here.store() as store:
        visit = _visit(request, here, store, who, path, token)
        match endpoint:
            case Action():
                return flask.Response(status=303, headers={"Location": endpoint.act(visit)})
            case _Twin(page=page):
                return flask.Response(msgspec.json.encode(page.build(visit)), mimetype="application/json")
        view = endpoint.build(visit)
    html = render(endpoint.template, view=view, visit=visit, page=endpoint, navigation=_navigation(site))
    response = flask.Response(html, mimetype="text/html")
    security.keep_token(response, token, https=here.console.k_service is not None)
    return response


def _match(request: flask.Request, site: Site) -> tuple[Any, dict[str, Any]]:
    """What is at the address, and the address' own parts. Raises `PageMissing`, or that the method is not for it."""
    try:
        endpoint, path = _map(site).bind_to_environ(request.environ).match()
    except MethodNotAllowed as error:
        raise MethodRefused(f"{request.method} does nothing at {request.path}", "open the console's page") from error
    except HTTPException as error:
        raise PageMissing("there is nothing at this address", "the overview is at /") from error
    return endpoint, dict(path)


@functools.cache
def _map(site: Site) -> Map:
    rules = [Rule("/static/<name>", endpoint=_File(), methods=["GET"])]
    for page in site.pages:
        rules.append(Rule(page.address, endpoint=page, methods=["GET"]))
        rules.append(Rule(page.twin, endpoint=_Twin(page), methods=["GET"]))
    rules += [Rule(action.address, endpoint=action, methods=["POST"]) for action in site.actions]
    return Map(rules, strict_slashes=False, merge_slashes=False)


@functools.cache
def _keys() -> ProxyKeys:
    return ProxyKeys(fetch_proxy_keys)


def _file(request: flask.Request, name: str) -> flask.Response:
    found = static_file(name, request.args.get("v"))
    if found is None:
        raise PageMissing("there is no such file", "the overview is at /")
    return found


def _visit(request: flask.Request, here: Wiring, store: Store, who: str, path: dict[str, Any], token: str) -> Visit:
    return Visit(
        who=who,
        now=store.now(),
        store=store,
        settings=here.settings,
        migrating=here.migrating,
        path=path,
        asked=request.args.to_dict(),
        form=request.form.to_dict(),
        form_token=token,
    )


def _navigation(site: Site) -> list[Page]:
    return [page for page in site.pages if page.in_navigation]


def _problem(request: flask.Request, error: SyncError, site: Site) -> flask.Response:
    """What went wrong, as the page or as JSON, whichever was asked for."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 503 if error.retryable else 500)
    if status >= 500:
        log.error("refused", path=request.path, error_class=error.name, error=str(error))
    if request.path.endswith(".json"):
        told = {"error": {"class": error.name, "message": str(error)}}
        return flask.Response(msgspec.json.encode(told), status=status, mimetype="application/json")
    title = _TITLES.get(status, "Not possible now")
    html = render("problem.html", title=title, error=error, navigation=_navigation(site))
    return flask.Response(html, status=status, mimetype="text/html")
