"""The stand-in does what the owner's facts record of the older service, and fails where that fails."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from google.api_core.exceptions import NotFound

from local.credentials import identity_token, write_key

from .conftest import PROJECT, Portal

SHEET = [
    ["Customer No.", "1st order", "note"],
    ["0042", None, "blank before"],
    [None, "x"],
    [],
    [True, 0.5, "last"],
]


def in_order(rows: list[dict]) -> list[tuple]:
    return sorted((tuple(row.values()) for row in rows), key=repr)


def test_a_table_has_what_the_sheet_shows_and_all_of_it_is_text(portal: Portal) -> None:
    name = portal.unique()
    portal.write(name, SHEET)
    assert portal.push(portal.message(name)).status_code == 200
    schema = portal.bigquery.get_table(f"{PROJECT}.reports.{name}").schema
    assert [(field.name, field.field_type) for field in schema] == [
        ("Customer_No_", "STRING"),
        ("_1st_order", "STRING"),
        ("note", "STRING"),
    ]
    wanted = [("0042", "", "blank before"), ("", "x", None), (None, None, None), ("TRUE", "0.5", "last")]
    assert in_order(portal.rows(name)) == sorted(wanted, key=repr)


def test_a_load_replaces_the_whole_table(portal: Portal) -> None:
    name = portal.unique()
    for rows in (SHEET, [["other"], ["x"]]):
        portal.write(name, rows)
        assert portal.push(portal.message(name)).status_code == 200
    assert portal.rows(name) == [{"other": "x"}]


def test_a_missing_dataset_is_made_in_the_us(portal: Portal) -> None:
    name = portal.unique()
    portal.write(name, SHEET)
    assert portal.push(portal.message(name, bigquery_dataset_id=name)).status_code == 200
    assert portal.bigquery.get_dataset(name).location == "US"


def test_a_message_without_a_tab_means_the_first_one(portal: Portal) -> None:
    name = portal.unique()
    portal.write(name, SHEET, tab="Ann's sheet")
    assert portal.push(portal.message(name, google_sheet_tab_name=None)).status_code == 200
    assert portal.push(portal.message(name, google_sheet_tab_name="Ann's sheet")).status_code == 200
    assert len(portal.rows(name)) == 4


@pytest.mark.parametrize(
    ("rows", "more"),
    [
        ([["a", "A"], [1, 2]], {}),
        ([], {}),
        (SHEET, {"google_sheet_tab_name": "renamed"}),
        (SHEET, {"google_sheet_url": "https://docs.google.com/spreadsheets/d/nobodys/edit"}),
        (SHEET, {"schema_handling": "custom", "custom_schema": '[{"name": "note", "type": "INT64"}]'}),
    ],
    ids=["duplicate headers", "an empty sheet", "a renamed tab", "no such sheet", "a type that is not text"],
)
def test_what_the_older_service_cannot_load_fails_and_leaves_the_table(portal: Portal, rows: list, more: dict) -> None:
    name = portal.unique()
    portal.write(name, [["before"], ["x"]])
    assert portal.push(portal.message(name)).status_code == 200
    portal.write(name, rows)
    assert portal.push(portal.message(name, **more)).status_code == 500
    assert portal.rows(name) == [{"before": "x"}]


def test_a_custom_schema_of_text_is_loaded(portal: Portal) -> None:
    name = portal.unique()
    portal.write(name, [["a"], [1]])
    schema = [{"name": "a", "type": "STRING"}]
    assert portal.push(portal.message(name, schema_handling="custom", custom_schema=schema)).status_code == 200
    assert portal.rows(name) == [{"a": "1"}]


@pytest.mark.parametrize("body", [{}, {"message": {}}, {"message": {"data": "not base64!"}}, {"message": {"data": ""}}])
def test_what_is_no_push_is_a_bad_request(portal: Portal, body: dict) -> None:
    token = identity_token(portal.key_file, portal.url)
    assert portal.post(body, {"Authorization": f"Bearer {token}"}).status_code == 400


def test_nobody_is_let_in_without_an_id_token_for_this_service(portal: Portal, tmp_path) -> None:
    name = portal.unique()
    portal.write(name, SHEET)
    write_key(tmp_path / "another.json", PROJECT, "http://127.0.0.1:9/token")
    refused = (
        portal.post({"message": {}}, {}),
        portal.post({"message": {}}, {"Authorization": "Basic eDp5"}),
        portal.push(portal.message(name), token="an access token"),
        portal.push(portal.message(name), token=identity_token(portal.key_file, "https://another.service")),
        portal.push(portal.message(name), token=identity_token(tmp_path / "another.json", portal.url)),
    )
    assert [each.status_code for each in refused] == [401] * 5
    with pytest.raises(NotFound):
        portal.rows(name)


def test_it_fails_as_often_as_it_is_told(portal: Portal) -> None:
    name = portal.unique()
    portal.write(name, SHEET)
    portal.order(failing=2, status=503)
    assert [portal.push(portal.message(name)).status_code for _ in range(3)] == [503, 503, 200]


def test_it_takes_as_long_as_it_is_told(portal: Portal) -> None:
    name = portal.unique()
    portal.write(name, SHEET)
    portal.order(seconds=1)
    began = time.monotonic()
    assert portal.push(portal.message(name)).status_code == 200
    assert time.monotonic() - began >= 1
    portal.order()


def test_one_that_hangs_does_nothing_and_one_that_is_silent_does_all(portal: Portal) -> None:
    name = portal.unique()
    portal.write(name, SHEET)
    portal.order(hanging=1)
    with pytest.raises(httpx.ReadTimeout):
        portal.push(portal.message(name), seconds=1)
    with pytest.raises(NotFound):
        portal.rows(name)
    portal.order(silent=1)
    with pytest.raises(httpx.ReadTimeout):
        portal.push(portal.message(name), seconds=3)
    assert len(portal.rows(name)) == 4


def test_one_that_hangs_holds_up_nobody_else(portal: Portal) -> None:
    name = portal.unique()
    portal.write(name, SHEET)
    portal.order(hanging=1)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(portal.push, portal.message(name), seconds=8)
        time.sleep(0.5)
        assert portal.push(portal.message(name)).status_code == 200
        assert not hanging.done()
        with pytest.raises(httpx.ReadTimeout):
            hanging.result()
