"""console: the page where people see what runs, and act; behind IAM or Identity-Aware Proxy, never public."""

import flask
import functions_framework

from console.routes import answer
from shared.wiring import wiring


@functions_framework.http
def console(request: flask.Request) -> flask.Response:
    """A page, its JSON twin, or where an action leads to."""
    return answer(request, wiring)
