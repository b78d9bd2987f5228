"""The clients of Google's services, against a server that answers as Google does."""

import gzip
import json
from pathlib import Path

import pytest

from shared.clients import Clients
from tests.unit.job.faulty_server import body, faulty_server


@pytest.fixture(autouse=True)
def _nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials of the machine's, so that the client is anonymous."""
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)


def test_an_answer_of_the_same_text_again_and_again_is_no_attack_and_is_read() -> None:
    """Compressed a hundredfold and more: the HTTP library takes that for a decompression bomb, unless it is told."""
    answer = json.dumps({"valueRanges": [{"values": [["Example Company Ltd., Berlin"] * 400_000]}]}).encode()
    sent = gzip.compress(answer)
    assert len(answer) > 10 << 20
    assert len(sent) * 100 < len(answer)
    with faulty_server() as server:
        server.answers = [body(sent, Content_Encoding="gzip")]
        url = f"http://127.0.0.1:{server.server_address[1]}"
        sheets = Clients({"SHEETS_API_ENDPOINT": url, "BIGQUERY_EMULATOR_HOST": url}).sheets()
        request = sheets.spreadsheets().values().batchGet(spreadsheetId="1AbcDefGhiJkl", ranges=["A:A"])
        assert request.execute() == answer
