"""What cannot be loaded fails with what to do about it, leaves the table as it was, and tells no cell's value."""

import json
import uuid

import pytest
import xlsxwriter

from local.environment import PROJECT
from tests.integration.job.conftest import DATASET, Desk, Ended

SECRET = "tell-nobody-4711"


def check_failure(ended: Ended, error: str, *texts: str) -> None:
    assert ended.code == 1, ended
    assert ended.line.startswith(f"Job execution failed: {error}: "), ended
    assert "\n" not in ended.line
    for text in texts:
        assert text in ended.line


@pytest.fixture
def loaded_desk(desk: Desk) -> Desk:
    """A desk whose table is loaded already."""
    desk.write({"Sheet1": [["a"], [1]]})
    assert desk.run().code == 0
    return desk


@pytest.mark.parametrize(
    ("state", "error", "texts"),
    [
        (
            "not_shared",
            "SheetNotShared",
            ['config 7 "sales"', "gserviceaccount.com as Viewer"],
        ),
        ("office_file", "NotAGoogleSheet", ["Save as Google Sheets"]),
        ("api_disabled", "ApiDisabled", ["gcloud services enable sheets.googleapis.com drive.googleapis.com"]),
    ],
)
def test_a_sheet_that_cannot_be_read_says_why_and_what_to_do(
    loaded_desk: Desk, state: str, error: str, texts: list[str]
) -> None:
    """In the wild: the "sheet" is an .xlsx in Drive; not shared; API disabled."""
    loaded_desk.keep_private(state)
    check_failure(loaded_desk.run(), error, *texts)
    assert loaded_desk.rows() == [(1,)]


def test_a_sheet_in_a_shared_drive_is_read(desk: Desk) -> None:
    """In the wild: the sheet lies in a shared drive."""
    desk.write({"Sheet1": [["a"], [1]]})
    desk.keep_private("shared_drive")
    assert desk.run().code == 0


def test_a_sheet_that_does_not_exist_is_told_apart_from_one_that_is_not_shared(desk: Desk) -> None:
    """In the wild: the sheet was deleted."""
    check_failure(desk.run(), "SheetNotFound", "correct google_sheet_url")


def test_an_unknown_tab_names_those_there_are(desk: Desk) -> None:
    desk.write({"January": [["a"], [1]], "February": [["a"], [1]]})
    ended = desk.run(GOOGLE_SHEET_TAB_NAME="March")
    check_failure(ended, "TabNotFound", 'no tab named "March"', '"January", "February"')


def test_a_chart_has_no_cells_to_load(desk: Desk) -> None:
    """In the wild: a connected-sheet or chart tab."""
    path = desk.system.samples / f"{desk.id}.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Data").write_row(0, 0, [1, 2])
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Data!$A$1:$B$1"})
        book.add_chartsheet("Chart").set_chart(chart)
    check_failure(desk.run(GOOGLE_SHEET_TAB_NAME="Chart"), "NotAGrid", "name a tab with cells")


def test_a_cleared_tab_leaves_the_table_as_it_was(loaded_desk: Desk) -> None:
    loaded_desk.write({"Sheet1": [["a"]]})
    check_failure(loaded_desk.run(), "EmptySheet")
    assert loaded_desk.rows() == [(1,)]


def test_violations_leave_the_table_as_it_was_and_are_told_by_address(loaded_desk: Desk) -> None:
    loaded_desk.write({"Q4_Sales": [["x", "y", "a"], ["1", "2", SECRET]]})
    ended = loaded_desk.run(**loaded_desk.with_schema({"name": "a", "type": "INTEGER"}))
    link = f"https://docs.google.com/spreadsheets/d/{loaded_desk.id}/edit#gid=0&range=C2"
    check_failure(ended, "SchemaViolated", f"Q4_Sales!C2 ({link}): text where INT64 is expected")
    assert SECRET not in ended.line + ended.log
    assert loaded_desk.rows() == [(1,)]


def test_settings_that_are_wrong_are_all_named_before_anything_is_read(desk: Desk) -> None:
    ended = desk.run(GOOGLE_SHEET_URL="https://example.com/x", BIGQUERY_DATASET_ID="no-dataset!")
    check_failure(ended, "InvalidSettings", "GOOGLE_SHEET_URL", "BIGQUERY_DATASET_ID")


def test_a_load_that_bigquery_refuses_is_told_by_its_reason(desk: Desk) -> None:
    desk.bigquery.create_dataset(DATASET, exists_ok=True)
    desk.bigquery.query_and_wait(f"CREATE VIEW `{PROJECT}.{DATASET}.{desk.id}` AS SELECT 1 AS x")
    desk.write({"Sheet1": [["a"], [SECRET]]})
    ended = desk.run()
    check_failure(ended, "LoadRefused", f"{PROJECT}.{DATASET}.{desk.id}")
    assert SECRET not in ended.line + ended.log


def test_neither_values_nor_headers_reach_the_log(desk: Desk) -> None:
    desk.write({"Sheet1": [[f"header {SECRET}", "b"], [SECRET, 1], [5, "x"]]})
    ended = desk.run()
    assert ended.code == 0
    assert SECRET not in ended.line + ended.log
    assert all(json.loads(line)["severity"] in ("INFO", "WARNING") for line in ended.log.splitlines())


def test_a_missing_key_file_is_told_as_missing_credentials(desk: Desk) -> None:
    desk.write({"Sheet1": [["a"], [1]]})
    check_failure(desk.run(GOOGLE_APPLICATION_CREDENTIALS="/nowhere/key.json"), "CredentialsMissing")


def test_credentials_that_are_no_use_end_with_the_guides_line_although_nothing_can_be_published(desk: Desk) -> None:
    """Read from the older service's variable, and no emulator, which would need none to publish."""
    ended = desk.run_for(
        str(uuid.uuid4()),
        google_cloud_hkdreporting=f'{{"private_key": "{SECRET}"',
        GOOGLE_APPLICATION_CREDENTIALS="",
        PUBSUB_EMULATOR_HOST="",
    )
    check_failure(ended, "InvalidSettings", "google_cloud_hkdreporting is not a service-account key")
    assert "Traceback" not in ended.log
    assert "did not publish the outcome" in ended.log
    assert SECRET not in ended.line + ended.log
