"""Every address of the console: who asks, which page or action it is, and what is answered where that fails."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import flask
import msgspec
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule

from console import security
from console.actions import adding, configs, editing, owners, runs
from console.actions.notices import find_notice
from console.actions.offers import offered
from console.actions.once import NotPossible
from console.identity import ForeignHost, NotSignedIn, ProxyKeys, fetch_proxy_keys, identify
from console.pages import config, migration, overview, plan, run
from console.rendering import render, static_file
from console.visit import Action, Page, PageMissing, Site, Visit
from shared import log
from shared.errors import (
    InvalidInput,
    InvalidSettings,
    NotOurs,
    NotProved,
    Overtaken,
    ServiceAtWork,
    SyncError,
    TableBusy,
    UnknownConfig,
    WrongPhase,
)
from shared.ledger.store import Store
from shared.wiring import Wiring


class MethodRefused(SyncError):
    """The address is there, but not for this method: for `allowed`."""

    def __init__(self, method: str, path: str, allowed: Iterable[str]) -> None:
        super().__init__(f"{method} does nothing at {path}", "open the console's page")
        self.allowed = sorted(allowed)


class NotAnEditor(SyncError):
    """Somebody who may look, and not act."""


class OutOfOrder(SyncError):
    """The console itself is wrong, its settings or its code; the log tells how, and nobody else."""


SITE = Site(
    pages=(overview.PAGE, migration.PAGE, config.PAGE, run.PAGE, plan.PAGE),
    actions=(*configs.ACTIONS, *runs.ACTIONS, *adding.ACTIONS, *editing.ACTIONS, *owners.ACTIONS),
)
# By the first that fits.
_STATUSES: tuple[tuple[type[SyncError], int], ...] = (
    (NotSignedIn, 401),
    (security.ForeignForm, 403),
    (ForeignHost, 403),
    (NotAnEditor, 403),
    (PageMissing, 404),
    (UnknownConfig, 404),
    (MethodRefused, 405),
    # What does not go with how things are by now.
    (NotPossible, 409),
    (NotOurs, 409),
    (Overtaken, 409),
    (TableBusy, 409),
    (NotProved, 409),
    (ServiceAtWork, 409),
    (WrongPhase, 409),
    (security.FormTooLarge, 413),
    (InvalidInput, 400),
)
_TITLES = {
    400: "Not understood",
    401: "Not signed in",
    403: "Refused",
    404: "Not found",
    405: "Not possible here",
    409: "Not possible as it is now",
    413: "Too much",
    500: "Out of order",
}


class _Twin:
    """A page's other address, at which it is JSON."""

    def __init__(self, page: Page) -> None:
        self.page = page


class _Asked:
    """The page of an action's form."""

    def __init__(self, action: Action) -> None:
        self.action = action


class _File:
    """The address of a file of ours."""


def answer(request: flask.Request, wire: Callable[[], Wiring], site: Site = SITE) -> flask.Response:
    """The answer to any request: a page, its JSON twin, a file, or where an action leads to.

    Whatever fails is answered here too: the framework's own answers lack what ours say to browsers.
    """
    try:
        response = _answer(request, wire, site)
    except SyncError as error:
        response = _problem(request, error, site)
    except Exception as mistake:
        log.crash("crashed", mistake, method=request.method, path=request.path)
        response = _problem(request, OutOfOrder("the console made a mistake", "its log tells which"), site)
    return security.secure(response)


def _answer(request: flask.Request, wire: Callable[[], Wiring], site: Site) -> flask.Response:
    endpoint, path = _match(request, site)
    if isinstance(endpoint, _File):
        return _file(request, path["name"])
    here = _wired(request, wire)
    who = identify(dict(request.headers), here.console, _keys())
    token = security.form_token(request)
    sent = security.checked_form(request) if isinstance(endpoint, Action) else {}
    if isinstance(endpoint, Action | _Asked) and not here.console.may_act(who):
        raise NotAnEditor(f"{who} may look, and not act", "CONSOLE_EDITORS says who may")
    with here.store() as store:
        if isinstance(endpoint, Action):
            response = _act(endpoint, _visit(request, here, store, who, path, sent, token), site)
        else:
            # What a page tells in several places must be of one moment.
            with store.one_moment():
                response = _look(endpoint, _visit(request, here, store, who, path, sent, token), site)
    if not isinstance(endpoint, _Twin):
        # Behind Identity-Aware Proxy; else people ask a proxy, or the console itself, on a machine of their own.
        security.keep_token(response, token, by_https=here.console.console_audience is not None)
    return response


def _wired(request: flask.Request, wire: Callable[[], Wiring]) -> Wiring:
    """The wiring, with the settings that say who asks. What is wrong with them is not told to browsers: whose they are,
    nobody knows yet.
    """
    try:
        here = wire()
        _ = here.console
    except InvalidSettings as error:
        log.error("refused", path=request.path, error_class=error.name, error=str(error))
        raise OutOfOrder("the console's settings are wrong", "its log tells which, and what they should be") from None
    return here


def _look(endpoint: Any, visit: Visit, site: Site) -> flask.Response:
    """What is to be seen at an address: a form, a page, or that as JSON."""
    match endpoint:
        case _Asked(action=Action(form=form)) if form is not None:
            return _page("form.html", visit, site, view=form(visit), error=None)
        case _Twin(page=page):
            return flask.Response(msgspec.json.encode(page.build(visit)), mimetype="application/json")
        case _:
            return _page(endpoint.template, visit, site, view=endpoint.build(visit), page=endpoint)


def _act(action: Action, visit: Visit, site: Site) -> flask.Response:
    """Where the action leads; or its form again, as it was filled in, with what kept it from being done."""
    try:
        return flask.Response(status=303, headers={"Location": action.act(visit)})
    except SyncError as error:
        if action.form is None:
            raise
        try:
            view = action.form(visit)
        except SyncError:  # what it was about is gone, or the database is
            raise error from None
        response = _page("form.html", visit, site, view=view, error=error)
        response.status_code = _status(error, visit.address)
        return response


def _page(template: str, visit: Visit, site: Site, **values: Any) -> flask.Response:
    """A page with what was done before it, and what can be done on it."""
    around = {"notice": find_notice(visit), "offers": offered(visit), "navigation": _navigation(site)}
    return flask.Response(render(template, visit=visit, **around, **values), mimetype="text/html")


def _match(request: flask.Request, site: Site) -> tuple[Any, dict[str, Any]]:
    """What is at the address, and the address' own parts. Raises `PageMissing`, or that the method is not for it."""
    try:
        endpoint, path = _map(site).bind_to_environ(request.environ).match()
    except MethodNotAllowed as error:
        raise MethodRefused(request.method, request.path, error.valid_methods or ()) from error
    except HTTPException as error:
        raise PageMissing("there is nothing at this address", "the overview is at /") from error
    return endpoint, dict(path)


@functools.cache
def _map(site: Site) -> Map:
    rules = [Rule("/static/<name>", endpoint=_File(), methods=["GET"])]
    for page in site.pages:
        rules.append(Rule(page.address, endpoint=page, methods=["GET"]))
        rules.append(Rule(page.twin, endpoint=_Twin(page), methods=["GET"]))
    for action in site.actions:
        rules.append(Rule(action.address, endpoint=action, methods=["POST"]))
        if action.form is not None:
            rules.append(Rule(action.asked_at or action.address, endpoint=_Asked(action), methods=["GET"]))
    return Map(rules, strict_slashes=False, merge_slashes=False)


@functools.cache
def _keys() -> ProxyKeys:
    return ProxyKeys(fetch_proxy_keys)


def _file(request: flask.Request, name: str) -> flask.Response:
    found = static_file(name, request.args.get("v"))
    if found is None:
        raise PageMissing("there is no such file", "the overview is at /")
    return found


def _visit(
    request: flask.Request,
    here: Wiring,
    store: Store,
    who: str,
    path: dict[str, Any],
    sent: Mapping[str, str],
    token: str,
) -> Visit:
    return Visit(
        who=who,
        now=store.now(),
        store=store,
        here=here,
        address=request.path,
        may_act=here.console.may_act(who),
        path=path,
        asked=request.args.to_dict(),
        form=sent,
        form_token=token,
    )


def _navigation(site: Site) -> list[Page]:
    return [page for page in site.pages if page.in_navigation]


def _problem(request: flask.Request, error: SyncError, site: Site) -> flask.Response:
    """What went wrong, as the page or as JSON, whichever was asked for."""
    status = _status(error, request.path)
    headers = {"Allow": ", ".join(error.allowed)} if isinstance(error, MethodRefused) else {}
    if request.path.endswith(".json"):
        return flask.Response(msgspec.json.encode({"error": error.told}), status, headers, mimetype="application/json")
    title = _TITLES.get(status, "Not possible now")
    html = render("problem.html", title=title, error=error, navigation=_navigation(site))
    return flask.Response(html, status, headers, mimetype="text/html")


def _status(error: SyncError, path: str) -> int:
    """The answer's status; what is not the mistake of who asks is logged, unless it was."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 503 if error.retryable else 500)
    if status >= 500 and not isinstance(error, OutOfOrder):
        log.error("refused", path=path, error_class=error.name, error=str(error))
    return status
