"""The portal's message names a config, and the table that the older service is told to replace."""

import json

import pytest

from shared.errors import InvalidInput
from shared.portal import decode_portal, place_of

PORTAL = {
    "id": 7,
    "name": "sales",
    "google_sheet_url": "https://docs.google.com/spreadsheets/d/1A2b3C4d5E6f7G8h9I0j/edit",
    "google_sheet_tab_name": "Q4",
    "google_cloud_project_id": "test-project",
    "bigquery_dataset_id": " reports",
    "bigquery_table_id": "sales ",
    "schema_handling": "auto_detect",
    "custom_schema": None,
}


def decoded(**changes):
    return decode_portal(json.dumps(PORTAL | changes).encode())


def test_the_config_is_the_one_of_the_id() -> None:
    assert decoded().request.wanted_id == 7
    assert decoded(id="8").request.wanted_id == 8


def test_without_an_id_the_name_tells_the_config() -> None:
    request = decoded(id=None).request
    assert (request.wanted_id, request.name) == (None, "sales")


def test_the_table_is_the_messages_own_without_the_blanks_around_its_name() -> None:
    assert decoded().place == ("test-project", "reports", "sales")


@pytest.mark.parametrize("value", [None, "", " ", 7, ["sales"]])
def test_a_table_whose_name_is_not_whole_is_none(value) -> None:
    assert decoded(bigquery_table_id=value).place is None
    assert place_of({}) is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the portal's message is empty"),
        (b"[1]", "the portal's message is a list of 1, not an object"),
        (b'{"table": "sales"}', "the portal's message: config_id is missing"),
        (b'{"id": "seven"}', "the portal's message: id is text of 5 characters, not a whole number"),
        (b'{"run_id": "7b6d2f0e-58a5-4a6e-9b7c-3f8a12345678"}', "the portal's message: config_id is missing"),
    ],
)
def test_what_names_no_config_is_not_understood(body: bytes, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_portal(body)
    assert told in str(caught.value)
