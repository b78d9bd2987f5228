"""Spreadsheet addresses as people paste them: understood, or refused with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.spreadsheet import Spreadsheet, parse_url, spreadsheet_of

ID = "1A2b3C4d5E6f7G8h9I0jKlMnOpQrStUvWxYz_-0123456"
URL = f"https://docs.google.com/spreadsheets/d/{ID}"


@pytest.mark.parametrize(
    ("url", "gid"),
    [
        (f"{URL}/edit", None),
        (f"{URL}/edit#gid=0", 0),
        (f"{URL}/edit?gid=1234567890#gid=1234567890", 1234567890),
        (f"{URL}/edit?usp=sharing", None),
        (f"{URL}/edit?usp=drive_link&ouid=1&rtpof=true&sd=true#gid=5", 5),
        (f"{URL}/edit?gid=7", 7),
        (f"{URL}/edit?gid=7#gid=8", 8),
        (f"{URL}/edit#gid=8&gid=9", 8),
        (f"{URL}/edit#gid=5&range=A1:C5", 5),
        (f"{URL}/edit#gid=", None),
        (f"{URL}/copy", None),
        (f"{URL}/view", None),
        (f"{URL}/export?format=csv&gid=3", 3),
        (f"{URL}/gviz/tq?tqx=out:csv&gid=3", 3),
        (f"{URL}/", None),
        (URL, None),
        (f"https://docs.google.com/spreadsheets/u/1/d/{ID}/edit#gid=2", 2),
        (f"https://docs.google.com/a/example.com/spreadsheets/d/{ID}/edit", None),
        (f"http://docs.google.com/spreadsheets/d/{ID}/edit", None),
        (f"HTTPS://DOCS.GOOGLE.COM/spreadsheets/d/{ID}/edit", None),
        (f"https://docs.google.com:443/spreadsheets/d/{ID}/edit", None),
        (f"docs.google.com/spreadsheets/d/{ID}/edit#gid=4", 4),
        (f"  {URL}/edit#gid=4 \r\n", 4),
        (f"\ufeff{URL}/edit#gid=4\N{ZERO WIDTH SPACE}", 4),
        (ID, None),
        (f" {ID}\t", None),
    ],
)
def test_an_address_as_browsers_and_people_give_it_names_the_spreadsheet_and_the_tab(url: str, gid: int | None) -> None:
    """In the wild: odd addresses (`/u/1/d/`, `/edit?usp=sharing`, `/copy`, a bare id, trailing spaces)."""
    assert parse_url(url) == Spreadsheet(id=ID, gid=gid)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "blank"),
        ("   \n", "blank"),
        ("sales", "not an address at docs.google.com"),
        (f"https://drive.google.com/file/d/{ID}/view?usp=sharing", "a link to a file in Drive"),
        (f"https://drive.google.com/open?id={ID}", "a link to a file in Drive"),
        (f"https://DRIVE.google.com/file/d/{ID}", "a link to a file in Drive"),
        (r"C:\Users\ann\Documents\sales.xlsx", "an Office file"),
        (r"C:\Users\ann\My Documents\sales 2024.XLSX", "an Office file"),
        ("file:///home/ann/sales.ods", "not an address"),
        ("https://contoso.sharepoint.com/:x:/r/sites/a/Shared%20Documents/b", "an Office file"),
        ("https://1drv.ms/x/s!Abc", "an Office file"),
        ("https://onedrive.live.com/edit.aspx?resid=1", "an Office file"),
        ("https://example.com/export/sales.csv", "an Office file"),
        ("https://docs.google.com/spreadsheets/d/e/2PACX-1vT/pubhtml", "a published copy"),
        ("https://docs.google.com/spreadsheets/u/0/d/e/2PACX-1vT/pub?output=csv", "a published copy"),
        (f"https://docs.google.com/document/d/{ID}/edit", "not the address of a Google spreadsheet"),
        (f"https://docs.google.com/forms/d/{ID}/edit", "not the address of a Google spreadsheet"),
        ("https://docs.google.com/spreadsheets/u/0/", "not the address of a Google spreadsheet"),
        ("https://docs.google.com/", "not the address of a Google spreadsheet"),
        (f"https://docs.google.com.evil.example/spreadsheets/d/{ID}", "not an address at docs.google.com"),
        (f"https://docs.google.com@evil.example/spreadsheets/d/{ID}", "not an address at docs.google.com"),
        (f"ftp://docs.google.com/spreadsheets/d/{ID}", "not an address at docs.google.com"),
        (f"javascript://docs.google.com/spreadsheets/d/{ID}", "not an address at docs.google.com"),
        (f"http://[::1/spreadsheets/d/{ID}", "not an address"),
        (f"http://[::1]/spreadsheets/d/{ID}", "not an address at docs.google.com"),
        (f"http://[nonsense]/spreadsheets/d/{ID}", "not an address"),
        ("https:///spreadsheets", "not an address"),
        ("https://docs.google.com/spreadsheets/d/…/edit", "characters that ids never have"),
        ("https://docs.google.com/spreadsheets/d/<ID>/edit", "characters that ids never have"),
        (f"{URL}/edit#gid=abc", "gid is not a number"),
        (f"{URL}/edit#gid=-1", "gid is not a number"),
        (f"{URL}/edit#gid=٣", "gid is not a number"),
        (f"{URL}/edit#gid={'9' * 5000}", "gid is not a number"),
        (f"{URL}/edit#gid=0\n{URL}/edit#gid=1", "a space or a line break"),
        (f"https://docs.google.com/spreadsheets/d/{ID[:20]}\n{ID[20:]}/edit", "a space or a line break"),
        (f"please use {URL}/edit", "not an address"),
    ],
)
def test_any_other_address_is_refused_with_the_reason_and_the_remedy(url: str, reason: str) -> None:
    """In the wild: Windows and Office paths, other hosts, published copies."""
    with pytest.raises(ValueError, match="paste the address of the open spreadsheet") as caught:
        parse_url(url)
    assert reason in str(caught.value)


@given(st.text() | st.text().map(lambda text: f"{URL}/{text}") | st.text().map(lambda text: f"https://{text}"))
def test_no_text_does_anything_but_name_a_spreadsheet_or_be_refused(text: str) -> None:
    try:
        found = parse_url(text)
    except ValueError:
        return
    assert parse_url(found.link(found.gid)) == found


@pytest.mark.parametrize(
    ("gid", "cell", "end"),
    [
        (None, None, "/edit"),
        (0, None, "/edit#gid=0"),
        (5, "C17", "/edit#gid=5&range=C17"),
        (None, "C17", "/edit#range=C17"),
    ],
)
def test_a_link_opens_the_tab_and_the_cell(gid: int | None, cell: str | None, end: str) -> None:
    assert Spreadsheet(id=ID).link(gid, cell) == f"{URL}{end}"


@pytest.mark.parametrize(
    "row", [None, {}, {"google_sheet_url": None}, {"google_sheet_url": 7}, {"google_sheet_url": "x"}]
)
def test_a_row_that_names_no_spreadsheet_has_none(row: dict[str, object] | None) -> None:
    assert spreadsheet_of(row) is None


def test_a_rows_spreadsheet_opens_at_the_tab_of_its_address() -> None:
    found = spreadsheet_of({"google_sheet_url": f" {URL}/edit?usp=sharing#gid=5 "})
    assert found is not None
    assert found.own_link == f"{URL}/edit#gid=5"
