"""What the endpoints read from a request: its JSON body, its paging, its conditions."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from starlette.requests import Request

from local.bigquery.discovery import check_body
from local.bigquery.errors import invalid, precondition_failed

Item = TypeVar("Item")
# The service caps a page's bytes; rows serve as well here.
MOST_ROWS_A_PAGE = 50_000


async def json_body(request: Request, schema: str) -> dict[str, Any]:
    """The body as an object of the API's named schema. Raises invalid."""
    body = await request.body()
    try:
        return check_body(json.loads(body or b"{}"), schema)
    except ValueError as error:
        raise invalid("Invalid JSON payload received. The body is not JSON.") from error


def number(request: Request, name: str, default: int) -> int:
    """A whole number of the query string that is not negative. Raises invalid."""
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise invalid(f"Invalid value for {name}: {text} is not a number", name)
    return int(text)


def start_of_page(request: Request) -> int:
    """Page tokens are row numbers; a client only hands them back."""
    return number(request, "pageToken", number(request, "startIndex", 0))


def one_page(request: Request, items: Sequence[Item], default: int = 1000) -> tuple[Sequence[Item], dict[str, str]]:
    """The asked part of a list, and `nextPageToken` if there is more."""
    start = start_of_page(request)
    count = number(request, "maxResults", default) or default
    token = {"nextPageToken": str(start + count)} if start + count < len(items) else {}
    return items[start : start + count], token


def check_etag(request: Request, etag: str) -> None:
    """Raises conditionNotMet when the client has seen another version (`If-Match`)."""
    expected = request.headers.get("if-match")
    if expected is not None and expected not in ("*", etag):
        raise precondition_failed()


def merged_patch(resource: dict[str, Any], patch: dict[str, Any], mutable: Callable[[str], bool]) -> dict[str, Any]:
    """JSON merge patch of the attributes that may change; null removes one."""
    result = dict(resource)
    for key, value in patch.items():
        if not mutable(key):
            continue
        if isinstance(value, dict) and isinstance(result.get(key), dict) and key == "labels":
            result[key] = {k: v for k, v in {**result[key], **value}.items() if v is not None}
        else:
            result[key] = value
    return {key: value for key, value in result.items() if value is not None}
