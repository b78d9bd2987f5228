"""The real gcloud, pointed at this machine: what deploy.sh makes and compares is what Google's tool makes and prints.

gcloud drops what the API's messages do not know: so a resource that the played project shows in a wrong shape, or a
format that reads a wrong field, prints something else here.
"""

import json
import os
import shlex
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.component import wait_until_ready
from local.ports import reserve_port
from local.pubsub import PubSub
from tests.deploy.cloud import Cloud
from tests.deploy.deployment import HOST, PROJECT, deploy, gcloud_commands, plan
from tests.deploy.linter import find_gcloud_here, gcloud_environment
from tests.deploy.played.call import play
from tests.deploy.serving import served

# What a list's path ends with, the kind of resource, and the field of the answer. https://cloud.google.com/apis/docs
LISTS = {
    "functions": ("functions", "functions"),
    "serviceAccounts": ("iam service-accounts", "accounts"),
    "roles": ("iam roles", "roles"),
    "secrets": ("secrets", "secrets"),
    "repositories": ("artifacts repositories", "repositories"),
    "sinks": ("logging sinks", "sinks"),
    "metrics": ("logging metrics", "metrics"),
    "alertPolicies": ("monitoring policies", "alertPolicies"),
    "dashboards": ("monitoring dashboards", "dashboards"),
    "notificationChannels": ("monitoring channels", "notificationChannels"),
}
APIS = (
    *("artifactregistry", "cloudfunctions", "cloudresourcemanager", "cloudscheduler", "iam", "logging"),
    *("monitoring", "run", "secretmanager"),
)


class Google(BaseHTTPRequestHandler):
    """Answers lists and policies as Google's APIs do, from a played project's state."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        kind, field = self._list_of(path)
        answer: dict[str, Any] = {field: list(self.state["resources"].get(kind, {}).values())}
        if field == "items":
            group = "serving.knative.dev" if kind == "run services" else "run.googleapis.com"
            listed = "ServiceList" if kind == "run services" else "JobList"
            answer |= {"kind": listed, "apiVersion": f"{group}/v1", "metadata": {}}
        self._send(answer)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send({"bindings": self.state["policies"][f"projects/{PROJECT}"]})

    def _list_of(self, path: str) -> tuple[str, str]:
        last = path.rpartition("/")[2]
        if last == "jobs":
            return ("run jobs", "items") if "namespaces" in path else ("scheduler jobs", "jobs")
        if last == "services":
            return "run services", "items"
        return LISTS[last]

    def _send(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @property
    def state(self) -> dict[str, Any]:
        return self.server.state  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A played project that runs, and every call by which deploy.sh found that there is nothing to change."""
    with served(tmp_path_factory.mktemp("deployed") / "cloud") as cloud:
        arguments = (*HOST, "--alert-email=team@example.com", "--console-access=iap")
        for _ in range(2):
            done = deploy(cloud, *arguments)
            assert done.returncode == 0, done.stderr
            if not cloud.changes():
                break
            cloud.forget_calls()
        yield cloud


@pytest.fixture(scope="module")
def environment(deployed: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The real gcloud's environment in which Google is this process."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Google) as server:
        server.state = deployed.state  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        address = f"127.0.0.1:{server.server_address[1]}"
        endpoints = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}": f"http://{address}/" for api in APIS}
        # gcloud puts the region before Run's host.
        endpoints |= {"CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN": f"http://run.localhost:{address.partition(':')[2]}/"}
        endpoints |= {"http_proxy": f"http://{address}", "no_proxy": "127.0.0.1"}
        yield (
            gcloud_environment(tmp_path_factory.mktemp("config"))
            | endpoints
            | {"CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true"}
        )
        server.shutdown()


def gcloud(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [find_gcloud_here(), *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (shlex.join(words), done.stderr)
    return done.stdout


def test_the_real_gcloud_prints_of_every_list_what_deploy_compares(
    deployed: Cloud, environment: dict[str, str]
) -> None:
    looked = dict.fromkeys(
        shlex.join(call["argv"][1:])
        for call in deployed.calls()
        if "list" in call["argv"] and call["argv"][1] not in ("pubsub", "services") and "versions" not in call["argv"]
    )
    looked = [shlex.split(each) for each in looked if "run regions" not in each]
    assert len(looked) >= 11
    for words in looked:
        code, played, _ = play(deployed.folder, ["gcloud", *words], "", Path.cwd())
        assert code == 0
        assert played.strip(), words
        assert sorted(gcloud(environment, *words).splitlines()) == sorted(played.splitlines()), words


def test_the_real_gcloud_prints_a_policy_as_deploy_reads_it(deployed: Cloud, environment: dict[str, str]) -> None:
    [words] = [call["argv"][1:] for call in deployed.calls() if call["argv"][1:3] == ["projects", "get-iam-policy"]]
    _, played, _ = play(deployed.folder, ["gcloud", *words], "", Path.cwd())
    assert sorted(gcloud(environment, *words).splitlines()) == sorted(played.splitlines())


def test_the_real_pubsub_keeps_the_subscriptions_that_deploy_wants(
    tmp_path_factory: pytest.TempPathFactory, deployed: Cloud
) -> None:
    folder: Path = tmp_path_factory.mktemp("pubsub")
    pubsub = PubSub(PROJECT, reserve_port())
    component = pubsub.component(dict(os.environ), folder, folder / "log")
    component.start()
    environment = gcloud_environment(folder) | {
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{pubsub.host}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
    }
    try:
        wait_until_ready([component], seconds=60)
        for line in plan(*HOST):
            if line.startswith(("gcloud pubsub topics create", "gcloud pubsub subscriptions create")):
                gcloud(environment, *shlex.split(gcloud_commands(line)[-1])[1:])
        words = next(call["argv"][1:] for call in deployed.calls() if call["argv"][2:4] == ["subscriptions", "list"])
        kept = gcloud(environment, *words).splitlines()
    finally:
        component.stop()
    _, played, _ = play(deployed.folder, ["gcloud", *words], "", Path.cwd())
    urls = [each["serviceConfig"]["uri"] for each in deployed.resources("functions").values()]
    for url in urls:
        played = played.replace(url, "https://asked.example")
    assert sorted(kept) == sorted(played.splitlines())
