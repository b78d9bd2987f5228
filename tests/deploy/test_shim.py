"""The shims play a project as gcloud shows one: formats like the real printer's, refusals like Google's."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.prerequisites import sdk_folders
from tests.deploy.cloud import Cloud
from tests.deploy.linter import find_gcloud
from tests.deploy.played.format import shown

RESOURCES: list[dict[str, Any]] = [
    {
        "name": "projects/p/things/first",
        "labels": {"b": "2", "a-x": "1"},
        "count": 5,
        "on": True,
        "none": None,
        "no": {},
    },
    {"name": "second", "list": ["x", "y"], "deep": {"er": [{"image": "i"}]}},
    {"bindings": [{"role": "r", "members": ["a", "b"]}, {"role": "q", "members": ["c"]}]},
]
FORMATS = (
    'value[separator="|"](name.basename(), labels, labels.a-x, count, on, none, no, list, list.list())',
    "value(name,count,deep.er[0].image)",
    'value[separator="|"](bindings.role,missing.path)',
)


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path / "cloud")


def run(cloud: Cloud, *argv: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, env=cloud.environment, input=text, capture_output=True, text=True, check=False)


def test_values_are_printed_as_the_real_gcloud_prints_them() -> None:
    sdk = find_gcloud(sdk_folders({"PATH": "/usr/bin"})).parent.parent
    script = (
        "import sys, json\n"
        f"sys.path[:0] = ['{sdk}/lib', '{sdk}/lib/third_party']\n"
        "from googlecloudsdk.core.resource import resource_printer\n"
        "resources, formats = json.load(sys.stdin)\n"
        "for each in formats: resource_printer.Print(resources, each)\n"
    )
    python = next(iter(sorted(sdk.glob("platform/bundledpythonunix/bin/python3"))), Path("/usr/bin/python3"))
    real = subprocess.run(
        [python, "-c", script], input=json.dumps([RESOURCES, FORMATS]), capture_output=True, text=True, check=True
    )
    assert "".join(shown(RESOURCES, each) for each in FORMATS) == real.stdout


def test_a_policy_is_flattened_to_a_line_a_member() -> None:
    told = shown(RESOURCES[2:], "value(bindings.role,bindings.members)", "bindings[].members[]")
    assert told.splitlines() == ["r\ta", "r\tb", "q\tc"]


def test_a_resource_is_made_once_then_shown_changed_and_gone(cloud: Cloud) -> None:
    run(cloud, "gcloud", "services", "enable", "pubsub.googleapis.com")
    assert run(cloud, "gcloud", "pubsub", "topics", "create", "t", "--labels=app=x").returncode == 0
    again = run(cloud, "gcloud", "pubsub", "topics", "create", "t")
    assert again.returncode == 1
    assert "ALREADY_EXISTS" in again.stderr
    listed = run(cloud, "gcloud", "pubsub", "topics", "list", "--format=value(name.basename(),labels.app)")
    assert listed.stdout == "t\tx\n"
    assert run(cloud, "gcloud", "pubsub", "topics", "delete", "t", "--quiet").returncode == 0
    assert cloud.resources("pubsub topics") == {}


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("gcloud pubsub topics create t", "has not been used in project"),
        ("gcloud projects describe other-project", "does not exist"),
        ("gcloud frobnicate", "the shim does not know"),
    ],
)
def test_what_google_would_refuse_is_refused(cloud: Cloud, command: str, reason: str) -> None:
    refused = run(cloud, *command.split())
    assert refused.returncode == 1
    assert reason in refused.stderr


def test_a_grant_to_nobody_is_refused(cloud: Cloud) -> None:
    member = f"--member=serviceAccount:nobody@{cloud.project}.iam.gserviceaccount.com"
    refused = run(cloud, "gcloud", "projects", "add-iam-policy-binding", cloud.project, member, "--role=roles/viewer")
    assert "does not exist" in refused.stderr
    assert refused.returncode == 1


def test_a_power_cut_stops_changes_and_lets_looking_go_on(cloud: Cloud) -> None:
    cloud.cut_power(after=1)
    assert run(cloud, "gcloud", "services", "enable", "run.googleapis.com").returncode == 0
    assert run(cloud, "gcloud", "services", "enable", "iam.googleapis.com").returncode == 1
    assert run(cloud, "gcloud", "services", "list", "--format=value(config.name)").stdout == "run.googleapis.com\n"


def test_a_late_power_cut_changes_and_fails_all_the_same(cloud: Cloud) -> None:
    cloud.cut_power(after=0, late=True)
    assert run(cloud, "gcloud", "services", "enable", "run.googleapis.com").returncode == 1
    assert cloud.state["apis"] == ["run.googleapis.com"]
