"""What a push tells the older service: one sheet, and the table that it goes to."""

import base64
import binascii
import json
import re
from typing import Any

import msgspec


class Refused(Exception):
    """The request is no push, or its message is none of the portal's."""


class Failed(Exception):
    """The sheet could not be loaded."""


class Wanted(msgspec.Struct):
    """The portal's message, as far as the service reads it."""

    google_sheet_url: str
    google_cloud_project_id: str
    bigquery_dataset_id: str
    bigquery_table_id: str
    google_sheet_tab_name: str | None = None
    schema_handling: str | None = None
    custom_schema: Any = None

    @property
    def spreadsheet(self) -> str:
        found = re.search(r"/d/([a-zA-Z0-9_-]+)", self.google_sheet_url)
        if found is None:
            raise Failed("google_sheet_url names no spreadsheet")
        return found[1]

    @property
    def table(self) -> str:
        return f"{self.google_cloud_project_id}.{self.bigquery_dataset_id}.{self.bigquery_table_id}"

    @property
    def has_types(self) -> bool:
        """Whether a custom schema asks for anything but text: every value is text, and none is converted."""
        if self.schema_handling != "custom":
            return False
        schema = json.loads(self.custom_schema) if isinstance(self.custom_schema, str) else self.custom_schema or []
        return any(str(column.get("type", "STRING")).upper() != "STRING" for column in schema)


def read_push(body: bytes) -> tuple[str, Wanted]:
    """The message's id and what it wants. Raises `Refused`."""
    try:
        message = json.loads(body)["message"]
        data = base64.b64decode(message["data"], validate=True)
        return str(message.get("messageId", "")), msgspec.json.decode(data, type=Wanted)
    except (KeyError, TypeError, ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise Refused(f"Bad Request: invalid Pub/Sub message ({type(error).__name__})") from error
