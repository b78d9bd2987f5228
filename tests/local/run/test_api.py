"""The API's resources, lists, operations and errors, as Google's document and clients want them."""

import json
from importlib.resources import files
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from .conftest import JOB, LOCATION, Server, StartServer

DISCOVERY = json.loads(files("googleapiclient.discovery_cache.documents").joinpath("run.v2.json").read_text())
SCHEMAS = DISCOVERY["schemas"]
JSON_TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}


def strays(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    """Where `value` is not as the discovery document's schema says."""
    schema = SCHEMAS[schema["$ref"]] if "$ref" in schema else schema
    if not isinstance(value, JSON_TYPES[schema["type"]]):
        return [f"{path} is not {schema['type']}"]
    if value not in schema.get("enum", [value]):
        return [f"{path} is none of the enum: {value}"]
    if isinstance(value, list):
        items = enumerate(value)
        return [stray for index, item in items for stray in strays(item, schema["items"], f"{path}[{index}]")]
    if isinstance(value, dict):
        return [stray for name, item in value.items() for stray in _field(name, item, schema, path)]
    return []


def _field(name: str, value: Any, schema: dict[str, Any], path: str) -> list[str]:
    field = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
    if field is None:
        return [f"{path}.{name} is unknown"]
    return [] if field.get("type") == "any" else strays(value, field, f"{path}.{name}")


def get(server: Server, path: str, **query: str) -> Any:
    answer = httpx.get(f"{server.url}/v2/{path}", params=query, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(server: Server, path: str, body: Any) -> httpx.Response:
    return httpx.post(f"{server.url}/v2/{path}", json=body, trust_env=False)


def error(answer: httpx.Response) -> tuple[int, str, str]:
    body = answer.json()["error"]
    assert body["code"] == answer.status_code
    return body["code"], body["status"], body["message"]


@pytest.mark.parametrize(
    "program", ["pass", "exit(1)", "import time; time.sleep(60)"], ids=["succeeded", "failed", "running"]
)
def test_resources_are_shaped_as_the_discovery_document_says(server: Server, program: str) -> None:
    operation = server.run(program, env={"NAME": "value", "EMPTY": ""})
    name = operation.metadata.name
    if "sleep" in program:
        server.until(lambda: server.execution(name).running_count, bool)
    else:
        server.ended(name)
    execution = get(server, name)
    tasks = get(server, f"{name}/tasks")
    assert strays(execution, {"$ref": "GoogleCloudRunV2Execution"}, "execution") == []
    assert strays(get(server, JOB), {"$ref": "GoogleCloudRunV2Job"}, "job") == []
    assert strays(tasks, {"$ref": "GoogleCloudRunV2ListTasksResponse"}, "tasks") == []
    assert execution["job"] == "sheettobigquery-job"
    assert execution["template"]["containers"][0]["env"][2:] == [
        {"name": "NAME", "value": "value"},
        {"name": "EMPTY"},
    ]
    assert get(server, tasks["tasks"][0]["name"]) == tasks["tasks"][0]


def test_a_job_tells_its_template_and_its_latest_execution(server: Server) -> None:
    assert server.jobs.get_job(name=JOB, timeout=10).execution_count == 0
    execution = server.run("pass").result(timeout=20)
    [job] = server.jobs.list_jobs(parent=LOCATION, timeout=10)
    assert job.name == JOB
    assert job.template.template.max_retries == 0
    assert job.template.template.timeout.seconds == 60
    assert job.execution_count == 1
    assert job.latest_created_execution.name == execution.name.rpartition("/")[2]
    assert job.latest_created_execution.completion_time == execution.completion_time
    assert list(server.jobs.list_jobs(parent="projects/other/locations/us-central1", timeout=10)) == []


def test_executions_are_listed_newest_first_over_pages(server: Server) -> None:
    names = [server.run("pass").metadata.name for _ in range(5)]
    pages = server.executions.list_executions(
        request=run_v2.ListExecutionsRequest(parent=JOB, page_size=2), timeout=10
    ).pages
    sizes, listed = [], []
    for page in pages:
        sizes.append(len(page.executions))
        listed += [execution.name for execution in page.executions]
    assert sizes == [2, 2, 1]
    assert listed == names[::-1]
    across_jobs = server.executions.list_executions(parent=f"{LOCATION}/jobs/-", timeout=10)
    assert [execution.name for execution in across_jobs] == listed


def test_a_deleted_execution_is_gone_and_its_program_ended(server: Server) -> None:
    kept = server.run("pass").metadata.name
    name = server.run("import time; time.sleep(60)").metadata.name
    deleted = server.executions.delete_execution(name=name, timeout=20).result(timeout=20)
    assert deleted.name == name
    assert deleted.cancelled_count == 1
    with pytest.raises(exceptions.NotFound, match=r"of kind 'EXECUTION' in region 'us-central1'"):
        server.execution(name)
    assert server.execution(kept).name == kept


def test_an_operation_can_be_waited_for_and_asked_for(server: Server) -> None:
    started = post(server, f"{JOB}:run", {"overrides": _override(args=["import time; time.sleep(1)"])}).json()
    assert started["metadata"]["@type"] == "type.googleapis.com/google.cloud.run.v2.Execution"
    assert "done" not in post(server, f"{started['name']}:wait", {"timeout": "0.1s"}).json()
    waited = post(server, f"{started['name']}:wait", {}).json()
    assert waited["done"]
    assert waited["response"]["succeededCount"] == 1
    assert get(server, started["name"]) == waited


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            f"{LOCATION}/jobs/other",
            "Resource 'other' of kind 'JOB' in region 'us-central1' in project 'local-project' does not exist.",
        ),
        (
            "projects/elsewhere/locations/europe-west1/jobs/sheettobigquery-job",
            "Resource 'sheettobigquery-job' of kind 'JOB' in region 'europe-west1' in project 'elsewhere' "
            "does not exist.",
        ),
    ],
)
def test_an_unknown_job_is_not_found_in_googles_words(server: Server, name: str, message: str) -> None:
    for answer in (
        post(server, f"{name}:run", {}),
        httpx.get(f"{server.url}/v2/{name}", trust_env=False),
        httpx.get(f"{server.url}/v2/{name}/executions", trust_env=False),
    ):
        assert error(answer) == (404, "NOT_FOUND", message)
    with pytest.raises(exceptions.NotFound):
        server.jobs.run_job(name=name, timeout=10)


def _override(**container: Any) -> dict[str, Any]:
    return {"containerOverrides": [container]}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"overrides": {"maxRetries": 1}}, "maxRetries"),
        ({"overrides": {"taskCount": 0}}, "taskCount"),
        ({"overrides": {"taskCount": "many"}}, "taskCount"),
        ({"overrides": {"timeout": "10m"}}, "10m"),
        ({"overrides": {"timeout": "0s"}}, "0s"),
        ({"overrides": {"timeout": "604801s"}}, "604801s"),
        ({"overrides": _override(env=[{"name": "N", "value": 1}])}, "value"),
        ({"overrides": _override(env=[{"name": ""}])}, "env"),
        (
            {"overrides": _override(env=[{"name": "CLOUD_RUN_EXECUTION", "value": "x"}])},
            "CLOUD_RUN_EXECUTION",
        ),
        ({"overrides": _override(env=[{"name": "N", "value": "x" * 32769}])}, "32768"),
        ({"overrides": _override(args=["x"], clearArgs=True)}, "clearArgs"),
        ({"overrides": {"containerOverrides": [{}, {}]}}, "container"),
        ([], "object"),
    ],
)
def test_an_invalid_override_is_refused_by_name_and_starts_nothing(server: Server, body: Any, named: str) -> None:
    code, status, message = error(post(server, f"{JOB}:run", body))
    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert named in message
    assert get(server, f"{JOB}/executions") == {}


def test_what_has_ended_cannot_be_cancelled(server: Server) -> None:
    name = server.run("pass").result(timeout=20).name
    with pytest.raises(exceptions.BadRequest, match="cannot be cancelled because it is not running"):
        server.executions.cancel_execution(name=name, timeout=10)


def test_executions_beyond_the_regions_limit_are_refused_until_some_ended(start_server: StartServer) -> None:
    server = start_server("--max-running", "2")
    operations = [server.run("import time; time.sleep(60)") for _ in range(2)]
    with pytest.raises(exceptions.TooManyRequests, match="Quota exceeded"):
        server.run("pass")
    server.executions.cancel_execution(name=operations[0].metadata.name, timeout=10).result(timeout=20)
    assert server.run("pass").metadata.name


def test_required_authentication_refuses_who_brings_none(start_server: StartServer) -> None:
    server = start_server("--require-auth")
    assert httpx.get(server.url, trust_env=False).text == "Ok"
    assert error(post(server, f"{JOB}:run", {}))[:2] == (401, "UNAUTHENTICATED")
    answer = httpx.get(f"{server.url}/v2/{JOB}", headers={"Authorization": "Bearer token"}, trust_env=False)
    assert answer.json()["name"] == JOB


@pytest.mark.parametrize("path", ["v2/projects/p/locations/l/services/s", "v1/anything", f"v2/{JOB}:frobnicate"])
def test_what_is_not_served_is_told_apart_from_success(server: Server, path: str) -> None:
    assert httpx.get(f"{server.url}/{path}", trust_env=False).status_code == 404


def test_an_invalid_page_token_or_size_is_refused(server: Server) -> None:
    for query in ({"pageToken": "bm9uZQ=="}, {"pageToken": "ü"}, {"pageSize": "-1"}):
        answer = httpx.get(f"{server.url}/v2/{JOB}/executions", params=query, trust_env=False)
        assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
