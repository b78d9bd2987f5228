"""What Cloud Monitoring tells of resources, asked over HTTP; a small server answers in the documented shape."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from migration.metrics import Used, used
from shared.clients import Clients

SPAN = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 8, tzinfo=UTC))


class Monitoring(HTTPServer):
    """Answers with `pages`, each with its status, in turn, and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Monitoring

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.asked.append((url.path, {key: values[0] for key, values in parse_qs(url.query).items()}))
        status, page = self.server.pages.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(page).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def monitoring() -> Iterator[Monitoring]:
    server = Monitoring()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def page(*values: Any, token: str = "") -> tuple[int, Any]:
    points = [{"interval": {}, "value": value} for value in values]
    return 200, {"timeSeries": [{"metric": {}, "points": points}], "nextPageToken": token}


def ask(monitoring: Monitoring) -> Any:
    elsewhere = {"SHEETS_API_ENDPOINT": monitoring.address, "BIGQUERY_EMULATOR_HOST": monitoring.address}
    return used(Clients(elsewhere).session, "p", "job", "sheettobigquery-job", SPAN, monitoring.address)


def test_each_metric_is_summed_over_its_pages(monitoring):
    monitoring.pages = [
        page({"doubleValue": 1.5}, {"doubleValue": 2.0}, token="more"),
        page({"doubleValue": 3.0}),
        page({"int64Value": "7"}),
        (200, {}),
    ]
    assert ask(monitoring) == (Used(6.5, 7, 0), None)
    path, first = monitoring.asked[0]
    assert path == "/v3/projects/p/timeSeries"
    assert first["filter"] == (
        'metric.type = "run.googleapis.com/container/billable_instance_time" AND resource.type = "cloud_run_job"'
        ' AND resource.labels.job_name = "sheettobigquery-job"'
    )
    assert (first["interval.startTime"], first["interval.endTime"]) == ("2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z")
    assert first["aggregation.alignmentPeriod"] == "604800s"
    assert monitoring.asked[1][1]["pageToken"] == "more"


def test_a_service_is_asked_for_by_its_own_label(monitoring):
    monitoring.pages = [(200, {})] * 3
    assert used(requests.Session(), "p", "service", "s", SPAN, monitoring.address) == (Used(0, 0, 0), None)
    assert (
        'resource.type = "cloud_run_revision" AND resource.labels.service_name = "s"'
        in (monitoring.asked[2][1]["filter"])
    )


def test_a_refusal_says_what_to_grant(monitoring):
    monitoring.pages = [(403, {})]
    nothing, why = ask(monitoring)
    assert nothing is None
    assert "refuses (403): grant roles/monitoring.viewer in p" in why


def test_where_nobody_answers_the_ledger_is_told_alone():
    nothing, why = used(requests.Session(), "p", "job", "j", SPAN, "http://127.0.0.1:9")
    assert nothing is None
    assert "cannot be reached (ConnectionError)" in why


def test_an_answer_in_another_shape_is_said_to_be_one(monitoring):
    monitoring.pages = [(200, {"timeSeries": 3})]
    assert "in a shape that is not understood" in ask(monitoring)[1]
