"""The protocol itself: health, authentication, error bodies, validation, uploads by hand, discovery."""

import json
import re
import subprocess
import sys
from typing import Any

import httpx
import pytest

PROJECT = "local-project"
API = "/bigquery/v2"


def call(server: Any, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
    """Status, headers, and the answer's JSON (or bytes)."""
    content = json.dumps(body) if isinstance(body, dict) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = path if path.startswith("http") else server.url + path
    answer = httpx.request(method, url, content=content, headers=named, timeout=20)
    is_json = "json" in answer.headers.get("content-type", "")
    return answer.status_code, answer.headers, answer.json() if is_json else answer.content


def load_resource(warehouse: Any, **load: Any) -> dict[str, Any]:
    table = {"projectId": PROJECT, "datasetId": warehouse.dataset, "tableId": "t"}
    fields = [{"name": "id", "type": "INT64"}]
    configuration = {"destinationTable": table, "sourceFormat": "CSV", "schema": {"fields": fields}, **load}
    return {"configuration": {"load": configuration}}


def test_health_is_open_and_all_else_needs_a_bearer_token(start_server):
    server = start_server("--require-auth")
    assert call(server, "GET", "/")[2] == b"Ok"
    path = f"{API}/projects/{PROJECT}/datasets"
    status, _, body = call(server, "GET", path)
    assert (status, body["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert body["error"]["errors"][0]["reason"] == "required"
    assert call(server, "GET", path, Authorization="Basic token")[0] == 401
    assert call(server, "GET", path, Authorization="Bearer token")[0] == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", f"{API}/projects/{PROJECT}/nothing"),
        ("POST", f"{API}/projects/{PROJECT}/datasets/d/tables/t/insertAll"),
        ("GET", f"{API}/projects/{PROJECT}/datasets/d/routines"),
    ],
)
def test_what_is_not_served_is_an_error_and_never_an_empty_success(server, method, path):
    status, _, body = call(server, method, path, {} if method == "POST" else None)
    assert status == 404
    assert (body["error"]["code"], body["error"]["status"]) == (404, "NOT_FOUND")
    assert "is not served here" in body["error"]["message"]


def test_a_taken_port_is_one_clear_line(server, tmp_path):
    port = server.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "local.bigquery", "--port", port, "--data", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("use_legacy_sql", [{}, {"useLegacySql": True}])
def test_legacy_sql_the_apis_default_is_refused(server, use_legacy_sql):
    query = {"query": "SELECT 1", **use_legacy_sql}
    assert call(server, "POST", f"{API}/projects/{PROJECT}/queries", query)[0] == 501
    job = {"configuration": {"query": query}}
    assert call(server, "POST", f"{API}/projects/{PROJECT}/jobs", job)[0] == 501


def test_errors_have_googles_shape(server):
    _, _, body = call(server, "GET", f"{API}/projects/{PROJECT}/datasets/nowhere")
    message = f"Not found: Dataset {PROJECT}:nowhere"
    assert body == {
        "error": {
            "code": 404,
            "message": message,
            "errors": [{"message": message, "domain": "global", "reason": "notFound"}],
            "status": "NOT_FOUND",
        }
    }


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ({"writeDispostion": "WRITE_TRUNCATE"}, 'Unknown name "writeDispostion"'),
        ({"writeDisposition": "TRUNCATE"}, "Invalid value for writeDisposition"),
        ({"createDisposition": "NEVER"}, "Invalid value for createDisposition"),
        ({"sourceFormat": "XLSX"}, "Invalid value for sourceFormat"),
        ({"skipLeadingRows": "one"}, "an integer is expected"),
        ({"schema": {"fields": [{"name": "id", "type": "INT"}]}}, "Invalid value for type: INT"),
        ({"schema": {"fields": []}}, "Empty schema"),
        ({"destinationTable": {}}, "Invalid dataset ID"),
        ({"columnNameCharacterMap": "V3"}, "is expected"),
        ({"sourceUris": ["gs://bucket/object"]}, "does not support it"),
    ],
)
def test_a_malformed_load_is_refused_before_its_data(server, warehouse, load, message):
    path = f"/upload{API}/projects/{PROJECT}/jobs?uploadType=resumable"
    status, _, body = call(server, "POST", path, load_resource(warehouse, **load), Content_Type="application/json")
    assert status in (400, 501)
    assert message in body["error"]["message"]


def test_a_load_without_data_is_refused(server, warehouse):
    status, _, body = call(server, "POST", f"{API}/projects/{PROJECT}/jobs", load_resource(warehouse))
    assert status == 400
    assert "source URI" in body["error"]["message"]


@pytest.mark.parametrize("prefix", ["/upload", "/resumable/upload"])
def test_a_resumable_upload_continues_where_it_broke(server, warehouse, prefix):
    resource = load_resource(warehouse)
    path = f"{prefix}{API}/projects/{PROJECT}/jobs?uploadType=resumable"
    _, headers, _ = call(server, "POST", path, resource, Content_Type="application/json")
    session = headers["location"]
    status, headers, _ = call(server, "PUT", session, b"", Content_Range="bytes */*")
    assert (status, headers.get("range")) == (308, None)
    status, headers, _ = call(server, "PUT", session, b"1\n2\n", Content_Range="bytes 0-3/*")
    assert (status, headers["range"]) == (308, "bytes=0-3")
    status, headers, _ = call(server, "PUT", session, b"", Content_Range="bytes */8")
    assert (status, headers["range"]) == (308, "bytes=0-3")
    status, _, body = call(server, "PUT", session, b"9\n9\n", Content_Range="bytes 6-9/10")
    assert (status, body["error"]["code"]) == (400, 400)
    status, _, job = call(server, "PUT", session, b"2\n3\n4\n", Content_Range="bytes 2-7/8")
    assert (status, job["kind"]) == (200, "bigquery#job")
    warehouse.client.get_job(job["jobReference"]["jobId"], location="EU").result()
    assert warehouse.rows() == [(1,), (2,), (3,), (4,)]
    assert call(server, "PUT", session, b"", Content_Range="bytes */8")[0] == 404


def test_a_multipart_upload_may_contain_anything_but_its_boundary(server, warehouse):
    fields = [{"name": "s", "type": "STRING"}]
    resource = json.dumps(load_resource(warehouse, schema={"fields": fields}, quote="", fieldDelimiter="|"))
    data = b"--almost\r\n--the-bound\n--x--"
    body = (
        b"--the-boundary\r\nContent-Type: application/json\r\n\r\n" + resource.encode() + b"\r\n"
        b"--the-boundary\r\nContent-Type: */*\r\n\r\n" + data + b"\r\n--the-boundary--"
    )
    path = f"/upload{API}/projects/{PROJECT}/jobs?uploadType=multipart"
    kind = 'multipart/related; boundary="the-boundary"'
    status, _, job = call(server, "POST", path, body, Content_Type=kind)
    assert status == 200, job
    warehouse.client.get_job(job["jobReference"]["jobId"], location="EU").result()
    assert warehouse.rows() == [("--almost",), ("--the-bound",), ("--x--",)]
    assert call(server, "POST", path, body[:-4], Content_Type=kind)[0] == 400


def test_the_discovery_document_names_this_server(server):
    for path in ("/$discovery/rest?version=v2", "/discovery/v1/apis/bigquery/v2/rest"):
        status, _, document = call(server, "GET", path)
        assert (status, document["rootUrl"]) == (200, server.url + "/")
        assert not re.search("https://bigquery.googleapis.com", json.dumps(document["resources"]))


def test_the_log_holds_no_cell_values_and_no_tokens(start_server, make_warehouse):
    server = start_server()
    warehouse = make_warehouse(server.client("EU"))
    warehouse.loaded({"id": ["secret-cell"]})
    warehouse.sql("SELECT * FROM {t} WHERE id = 'secret-cell'")
    call(server, "GET", f"{API}/projects/{PROJECT}/datasets", Authorization="Bearer secret-token")
    assert "secret" not in (server.data / "server.log").read_text()
