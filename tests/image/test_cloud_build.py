"""cloudbuild-job.yaml: a request that Cloud Build's API takes, whose scripts run, and which names images by digest."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from googleapiclient.discovery_cache import get_static_doc
from msgspec import json

from tests.deploy.linter import lint

REPOSITORY = Path(__file__).parents[2]
BUILD: dict[str, Any] = yaml.safe_load((REPOSITORY / "cloudbuild-job.yaml").read_text())
SCRIPTS = {step["id"]: step["script"] for step in BUILD["steps"]}
BASE = "mirror.gcr.io/library/python@sha256:" + "b" * 64
IMAGE = "us-central1-docker.pkg.dev/local-project/github-service-sheettobigquery/sheettobigquery-job"
# Docker as the steps see it: it answers what Docker would, and keeps what it was asked.
DOCKER = f"""#!/bin/sh
printf '%s\\n' "$*" >>"$ASKED"
case "$*" in
  *RepoDigests*:build-1) echo "{IMAGE}@sha256:{"f" * 64}" ;;
  *RepoDigests*) echo "{BASE}" ;;
esac
"""


def problems(value: Any, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> list[str]:
    """Where a value is not what a schema of a discovery document describes."""
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    kind = schema["type"]
    if kind == "object":
        if not isinstance(value, dict):
            return [f"{where}: is no object"]
        described, others = schema.get("properties", {}), schema.get("additionalProperties")
        found = []
        for name, inner in value.items():
            of = described.get(name, others)
            found += problems(inner, of, schemas, f"{where}.{name}") if of else [f"{where}.{name}: is not known"]
        return found
    if kind == "array":
        return [each for inner in value for each in problems(inner, schema["items"], schemas, f"{where}[]")]
    wrong = type(value) is not {"string": str, "boolean": bool, "integer": int}[kind]
    unknown = "enum" in schema and value not in schema["enum"]
    return [f"{where}: {value!r} is no {kind} that is allowed"] if wrong or unknown else []


def test_cloud_builds_api_takes_the_file() -> None:
    schemas = json.decode(get_static_doc("cloudbuild", "v1"))["schemas"]
    assert problems(BUILD, {"$ref": "Build"}, schemas, "build") == []


def test_a_field_that_cloud_build_does_not_know_is_seen() -> None:
    schemas = json.decode(get_static_doc("cloudbuild", "v1"))["schemas"]
    wrong = {**BUILD, "steps": [{"name": "x", "scripts": "true"}], "options": {"logging": "LOUD"}}
    assert problems(wrong, {"$ref": "Build"}, schemas, "build") == [
        "build.steps[].scripts: is not known",
        "build.options.logging: 'LOUD' is no string that is allowed",
    ]


@pytest.fixture
def built(tmp_path: Path) -> tuple[list[str], str]:
    """What Docker and gcloud are asked in the steps, each run with its own shell, and what the build's result keeps."""
    asked = tmp_path / "asked"
    for name, text in (("docker", DOCKER), ("gcloud", DOCKER.replace('"$*" >>', '"gcloud $*" >>'))):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ASKED": str(asked), "BUILDER_OUTPUT": str(tmp_path)}
    environment |= {**BUILD["substitutions"], "PROJECT_ID": "local-project", "BUILD_ID": "build-1"}
    kept = ""
    for step in BUILD["steps"]:
        script = tmp_path / f"{step['id']}.sh"
        script.write_text(step["script"].replace("/workspace", str(tmp_path)))
        script.chmod(0o755)
        subprocess.run([str(script)], env=environment, cwd=tmp_path, check=True, timeout=60, stdout=subprocess.DEVNULL)
        kept += (tmp_path / "output").read_text() if "BUILDER_OUTPUT" in step["script"] else ""
    return asked.read_text().splitlines(), kept


def test_the_image_is_built_on_the_digest_that_was_found_and_says_so(built: tuple[list[str], str]) -> None:
    asked, kept = built
    (build,) = [line for line in asked if line.startswith("build ")]
    assert f"--build-arg=BASE={BASE} " in build
    assert f"--label=org.opencontainers.image.base.digest=sha256:{'b' * 64}" in build
    assert BASE in kept
    # Nobody can know it here: it is found when the image is built.
    assert not re.search(r"sha256:[0-9a-f]{64}", (REPOSITORY / "cloudbuild-job.yaml").read_text())


def test_the_job_gets_the_pushed_image_by_digest_and_is_updated_not_deleted(built: tuple[list[str], str]) -> None:
    asked, kept = built
    gcloud = [line for line in asked if line.startswith("gcloud ")]
    digest = f"{IMAGE}@sha256:{'f' * 64}"
    assert gcloud == [
        f"gcloud run jobs update sheettobigquery-job --image={digest} --region=us-central1 --project=local-project"
    ]
    assert digest in kept
    assert asked.index(f"push --quiet {IMAGE}:build-1") < asked.index(gcloud[0])
    assert lint(gcloud) == []


def test_the_names_are_the_guides() -> None:
    assert BUILD["substitutions"]["_REPOSITORY"] == "github-service-sheettobigquery"
    assert BUILD["substitutions"]["_JOB"] == "sheettobigquery-job"
    assert BUILD["images"] == ["${_REGION}-docker.pkg.dev/${PROJECT_ID}/${_REPOSITORY}/${_JOB}:${BUILD_ID}"]


def test_the_scripts_are_sound() -> None:
    for name, script in SCRIPTS.items():
        checked = subprocess.run(
            [str(REPOSITORY / ".venv/bin/shellcheck"), "-"], input=script, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, (name, checked.stdout)
