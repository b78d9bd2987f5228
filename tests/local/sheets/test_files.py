"""Files that come, change, go and cannot be read, and how they are shared: Sheets' answers and Drive's."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from googleapiclient.errors import HttpError

from tests.local.sheets.serving import SAMPLES, Server, write_workbook

Serve = Callable[..., Server]
FIELDS = "id,name,mimeType,version,modifiedTime,trashed,driveId"


def file_of(server: Server, file_id: str, **options: Any) -> dict[str, Any]:
    """files.get as a careful caller asks it."""
    return server.files.get(fileId=file_id, fields=FIELDS, **{"supportsAllDrives": True} | options).execute()


def test_drive_knows_a_sample_as_a_spreadsheet(samples: Server) -> None:
    answer = file_of(samples, "roster")
    assert answer["id"] == answer["name"] == "roster"
    assert answer["mimeType"] == "application/vnd.google-apps.spreadsheet"
    assert answer["trashed"] is False
    assert answer["version"].isdigit()
    assert answer["modifiedTime"].endswith("Z")


def test_drive_answers_four_fields_unless_it_is_asked_for_others(samples: Server) -> None:
    answer = samples.files.get(fileId="roster").execute()
    assert sorted(answer) == ["id", "kind", "mimeType", "name"]
    can_edit = samples.files.get(fileId="roster", fields="capabilities/canEdit").execute()
    assert can_edit == {"capabilities": {"canEdit": False}}
    with pytest.raises(HttpError, match="Invalid field selection colour"):
        samples.files.get(fileId="roster", fields="id,colour").execute()


def test_an_edit_shows_at_once_and_moves_version_and_time(serve: Serve, folder: Path) -> None:
    path = write_workbook(folder / "edited.xlsx", {"T": [["before"]]})
    server = serve()
    before = file_of(server, "edited")
    assert file_of(server, "edited") == before
    book = openpyxl.load_workbook(path)
    book["T"]["A1"] = "after"
    book.save(path)
    assert server.values("edited", "T") == [["after"]]
    after = file_of(server, "edited")
    assert int(after["version"]) > int(before["version"])
    assert after["modifiedTime"] > before["modifiedTime"]


def test_versions_increase_even_where_the_file_gets_older(serve: Serve, folder: Path) -> None:
    path = write_workbook(folder / "restored.xlsx", {"T": [["new"]]})
    server = serve()
    before = file_of(server, "restored")
    write_workbook(path, {"T": [["from a backup"]]})
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    after = file_of(server, "restored")
    assert server.values("restored", "T") == [["from a backup"]]
    assert int(after["version"]) > int(before["version"])
    assert after["modifiedTime"] > before["modifiedTime"]


def test_a_half_written_file_is_served_as_it_was_before(serve: Serve, folder: Path) -> None:
    path = write_workbook(folder / "slow.xlsx", {"T": [["whole"]]})
    server = serve()
    before = file_of(server, "slow")
    whole = write_workbook(folder / "other.xlsx", {"T": [["whole again"]]}).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert server.values("slow", "T") == [["whole"]]
    assert file_of(server, "slow") == before
    path.write_bytes(whole)
    assert server.values("slow", "T") == [["whole again"]]
    assert file_of(server, "slow")["version"] != before["version"]


def test_a_file_that_was_never_a_workbook_is_an_internal_error(serve: Serve, folder: Path) -> None:
    (folder / "broken.xlsx").write_bytes(b"not a workbook")
    server = serve()
    with pytest.raises(HttpError) as refused:
        server.get("broken", "A1")
    assert refused.value.status_code == 500
    assert "broken.xlsx cannot be read as a workbook (BadZipFile)" in server.log


def test_files_come_and_go_while_the_server_runs(serve: Serve, folder: Path) -> None:
    server = serve()
    with pytest.raises(HttpError) as refused:
        server.get("late", "A1")
    assert refused.value.status_code == 404
    assert refused.value.reason == "Requested entity was not found."
    path = write_workbook(folder / "late.xlsx", {"T": [["here"]]})
    assert server.values("late", "A1") == [["here"]]
    path.unlink()
    for request in (server.spreadsheets.get(spreadsheetId="late"), server.files.get(fileId="late")):
        with pytest.raises(HttpError) as refused:
            request.execute()
        assert refused.value.status_code == 404


def test_a_file_name_that_is_no_id_gets_one_and_the_log_says_which(serve: Serve, folder: Path) -> None:
    write_workbook(folder / "Umsätze (2024).xlsx", {"T": [["here"]]})
    write_workbook(folder / "Umsätze [2024].xlsx", {"T": [["there"]]})
    (folder / "~$Umsätze (2024).xlsx").write_bytes(b"the lock of a spreadsheet program")
    server = serve()
    ids = [line.split("/d/")[1].removesuffix("/edit") for line in server.log.splitlines() if "/d/" in line]
    assert len(set(ids)) == 2
    assert [server.values(found, "A1") for found in ids] == [[["here"]], [["there"]]]
    assert file_of(server, ids[0])["name"] == "Umsätze (2024)"


@pytest.mark.parametrize("outside", ["..%2Fsamples%2Froster", "..", "%2e%2e%2froster"])
def test_no_file_outside_the_folder_can_be_named(serve: Serve, folder: Path, outside: str) -> None:
    (folder.parent / "roster.xlsx").write_bytes((SAMPLES / "roster.xlsx").read_bytes())
    server = serve()
    with pytest.raises(HttpError) as refused:
        server.spreadsheets.get(spreadsheetId=outside).execute()
    assert refused.value.status_code == 404


class TestSharing:
    """`sharing.json`, which can change while the server runs."""

    @pytest.fixture
    def server(self, serve: Serve, folder: Path) -> Server:
        write_workbook(folder / "sales.xlsx", {"T": [["here"]]})
        return serve()

    def test_a_spreadsheet_that_is_not_shared_is_403_for_sheets_and_404_for_drive(
        self, server: Server, folder: Path
    ) -> None:
        assert server.values("sales", "A1") == [["here"]]
        (folder / "sharing.json").write_text('{"sales": "not_shared"}')
        refused = _refusal(lambda: server.get("sales", "A1"))
        assert refused.status_code == 403
        assert refused.reason == "The caller does not have permission"
        assert _refusal(lambda: file_of(server, "sales")).reason == "File not found: sales."
        (folder / "sharing.json").unlink()
        assert server.values("sales", "A1") == [["here"]]

    def test_an_excel_file_in_drive_cannot_be_read_and_has_its_own_type(self, server: Server, folder: Path) -> None:
        (folder / "sharing.json").write_text('{"sales": "office_file"}')
        refused = _refusal(lambda: server.get("sales", "A1"))
        assert refused.status_code == 400
        assert refused.reason == "This operation is not supported for this document"
        assert json.loads(refused.content)["error"]["status"] == "FAILED_PRECONDITION"
        found = file_of(server, "sales")
        assert found["mimeType"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        assert found["name"] == "sales.xlsx"

    def test_a_project_without_the_api_is_told_where_to_enable_it(self, server: Server, folder: Path) -> None:
        (folder / "sharing.json").write_text('{"sales": "api_disabled"}')
        for refused, service in (
            (_refusal(lambda: server.get("sales", "A1")), "sheets.googleapis.com"),
            (_refusal(lambda: file_of(server, "sales")), "drive.googleapis.com"),
        ):
            error = json.loads(refused.content)["error"]
            assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
            assert error["details"][0]["reason"] == "SERVICE_DISABLED"
            assert f"apis/api/{service}/overview?project=" in error["message"]

    def test_a_file_in_a_shared_drive_is_found_only_where_these_are_asked_for(
        self, server: Server, folder: Path
    ) -> None:
        (folder / "sharing.json").write_text('{"sales": "shared_drive"}')
        assert file_of(server, "sales")["driveId"]
        assert _refusal(lambda: file_of(server, "sales", supportsAllDrives=False)).status_code == 404
        assert server.values("sales", "A1") == [["here"]]

    def test_a_file_of_states_that_is_wrong_is_not_used_and_said_so(self, server: Server, folder: Path) -> None:
        (folder / "sharing.json").write_text('{"sales": "secret"}')
        assert server.values("sales", "A1") == [["here"]]
        assert "'sales' has to be one of shared, not_shared, " in server.log


def _refusal(call: Callable[[], Any]) -> HttpError:
    with pytest.raises(HttpError) as refused:
        call()
    return refused.value
