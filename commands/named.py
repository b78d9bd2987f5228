"""The config that a person named."""

from typing import Any

from shared.ledger.store import Store
from shared.messages import ManualRequest
from shared.parse import parse


def find_named(text: str, store: Store) -> dict[str, Any]:
    """The row of the config that a person named; digits are an id.

    Raises `UnknownConfig`, `AmbiguousName`, or `InvalidInput` for what can be neither an id nor a name.
    """
    field = "config_id" if text.isascii() and text.isdigit() else "name"
    wanted = parse(ManualRequest, {field: text}, "CONFIG", remedy="give a config's id or its name")
    return store.find_config(wanted)
