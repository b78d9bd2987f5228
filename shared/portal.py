"""The portal's message: one sync as the older service is told it. It names a config, and the table that is replaced."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.messages import ManualRequest
from shared.parse import parse, parse_object

_PLACE = ("google_cloud_project_id", "bigquery_dataset_id", "bigquery_table_id")
Place = tuple[str, str, str]


class PortalMessage(msgspec.Struct, frozen=True):
    """The config that a message names, and the place of the table that it names itself: project, dataset, table.

    The older service loads what the message says, which may not be what the config says by now. None: the message
    names no table, and the older service will not understand it.
    """

    request: ManualRequest
    place: Place | None


def decode_portal(data: bytes) -> PortalMessage:
    """The message in a push's data. Raises `InvalidInput` that says what is wrong with it."""
    raw = parse_object(data, "the portal's message")
    request = parse(ManualRequest, raw, "the portal's message", remedy="its `id` is the config's")
    return PortalMessage(request, place_of(raw))


def place_of(raw: Mapping[str, Any]) -> Place | None:
    """The table that a message, or a config's row, names; None where a part of its name is missing."""
    parts = [raw.get(field) for field in _PLACE]
    match [part.strip() for part in parts if isinstance(part, str) and part.strip()]:
        case [project, dataset, table]:
            return project, dataset, table
    return None
