"""The addresses that people follow: cells as errors name them, and what Google's console shows."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.columns.cells import address
from shared import links
from shared.links import NamedCell, first_link, named_cells
from shared.spreadsheet import Spreadsheet

ID = "1A2b3C4d5E6f7G8h9I0jKlMnOpQrStUvWxYz"
SHEET = Spreadsheet(ID, gid=5)
AT = f"https://docs.google.com/spreadsheets/d/{ID}/edit"
EXECUTION = "projects/team-1/locations/europe-west3/jobs/sync/executions/sync-x7k2p"


def test_a_cell_with_its_address_opens_there() -> None:
    text = f'config 7 "sales": 1 cell is in error: Q4_Sales!C17 ({AT}#gid=9&range=C17)'
    assert named_cells([text], SHEET) == [NamedCell("Q4_Sales!C17", f"{AT}#gid=9&range=C17")]


def test_the_cells_behind_the_first_open_in_the_same_tab() -> None:
    text = f"3 cells: 'My tab'!C17 ({AT}#gid=9&range=C17); 'My tab'!AA3; 'My tab'!B1; and 2 more"
    assert named_cells([text], SHEET) == [
        NamedCell("'My tab'!C17", f"{AT}#gid=9&range=C17"),
        NamedCell("'My tab'!AA3", f"{AT}#gid=9&range=AA3"),
        NamedCell("'My tab'!B1", f"{AT}#gid=9&range=B1"),
    ]


@pytest.mark.parametrize(
    ("spreadsheet", "link"), [(SHEET, f"{AT}#gid=5&range=B2"), (Spreadsheet(ID), AT), (None, None)]
)
def test_without_any_address_a_cell_opens_as_well_as_its_config_tells(spreadsheet, link) -> None:
    assert named_cells(["Data!B2 and Data!B2 give the same name"], spreadsheet) == [NamedCell("Data!B2", link)]


@pytest.mark.parametrize(
    "text", ["nothing at all", "sales!", "C17", "Tab!17", "Tab!C0", "Tab!C17x", "Tab!ABCD1", "Tab!c17"]
)
def test_what_names_no_cell_has_none(text) -> None:
    assert named_cells([text], SHEET) == []


@given(st.text(alphabet="aQ_4 '!\"()é中:", min_size=1, max_size=12), st.integers(1, 9_999_999), st.integers(0, 18_277))
def test_every_address_that_the_job_writes_is_found_whatever_the_tab_is_called(title, row, column) -> None:
    cell = address(title, row, column)
    assert [each.cell for each in named_cells([f"1 cell is in error: {cell}: no number"], None)] == [cell]


def test_the_first_address_of_an_error_is_where_to_begin() -> None:
    assert first_link(f"2 cells: A!B1 ({AT}#gid=1&range=B1); A!B2 ({AT}#gid=1&range=B2)") == f"{AT}#gid=1&range=B1"
    assert first_link("share it with sync@example.com") is None
    assert first_link("https://evil.example/spreadsheets/d/x/edit") is None


def test_a_tables_page_names_its_three_parts() -> None:
    url = links.table("example.com:team.reports.sales & more")
    asked = parse_qs(urlsplit(url).query)
    assert asked == {"p": ["example.com:team"], "d": ["reports"], "t": ["sales & more"], "page": ["table"]}


@pytest.mark.parametrize("name", ["", "sales", "reports.sales", "p..sales", ".d.t"])
def test_what_is_no_tables_name_has_no_page(name) -> None:
    assert links.table(name) is None


def test_a_jobs_page_names_project_location_and_job() -> None:
    assert links.job("team-1", "US", "sheet_to_bigquery_a_1") == (
        "https://console.cloud.google.com/bigquery?project=team-1&j=bq:US:sheet_to_bigquery_a_1&page=queryresults"
    )


def test_an_execution_has_a_page_and_logs_from_its_start_on() -> None:
    assert links.execution(EXECUTION) == (
        "https://console.cloud.google.com/run/jobs/executions/details/europe-west3/sync-x7k2p/tasks?project=team-1"
    )
    since = datetime(2026, 3, 29, 12, 30, tzinfo=UTC)
    path, _, project = links.logs(EXECUTION, since).partition("?")
    assert project == "project=team-1"
    assert unquote(path.partition(";query=")[2]) == (
        'resource.type="cloud_run_job" AND labels."run.googleapis.com/execution_name"="sync-x7k2p"'
        ' AND timestamp>="2026-03-29T12:30:00Z"'
    )
    assert "timestamp" not in links.logs(EXECUTION)


@pytest.mark.parametrize("name", ["", "unknown", "sync-x7k2p", "projects/p/locations/l/jobs/j", f"{EXECUTION}/tasks/1"])
def test_what_is_no_executions_name_has_neither(name) -> None:
    assert (links.execution(name), links.logs(name)) == (None, None)


@given(st.text(min_size=1, max_size=30))
def test_no_name_gets_out_of_the_address_that_is_made_of_it(name) -> None:
    made = [links.table(f"p.d.{name.replace('.', '')}x"), links.job(name, name, name)]
    for url in made:
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == (
            "https",
            "console.cloud.google.com",
            "/bigquery",
            "",
        )
        assert url.isascii()
        assert not set(url) & set("\"'<> ")
