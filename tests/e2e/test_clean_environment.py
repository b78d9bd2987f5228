"""Each staged folder imports and answers in a clean virtual environment that has requirements.txt and nothing else."""

import ast
import dataclasses
import json
import subprocess
import urllib.request
import uuid
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from local import functions
from local.component import Component, wait_until_ready
from local.environment import PROJECT
from local.ports import direct, reserve_port
from local.scheduler import call
from local.system import System
from tests.e2e.conftest import Team
from tests.image.runtime import REPOSITORY, install, make_environment
from tests.once import made_once

SECONDS_TO_START = 60


class Served:
    """The functions, each from its staged folder, by the clean environment's own functions-framework."""

    def __init__(self, python: Path, staged: Path, components: dict[str, Component]) -> None:
        self.python = python
        self.staged = staged
        self._components = components

    def address(self, name: str) -> str:
        return self._components[name].address

    def push(self, name: str, message: Any) -> int:
        """A push as Pub/Sub's; the answer's status."""
        identity = uuid.uuid4().hex
        told = {"data": b64encode(json.dumps(message).encode()).decode(), "messageId": identity, "attributes": {}}
        request = urllib.request.Request(  # noqa: S310  (a loopback address)
            f"{self.address(name)}/projects/{PROJECT}/topics/any",
            data=json.dumps({"subscription": f"projects/{PROJECT}/subscriptions/any", "message": told}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with direct.open(request, timeout=60) as answer:
            return int(answer.status)

    def imported(self, name: str, modules: Sequence[str]) -> str:
        """What the clean interpreter says when it imports these in a function's folder: nothing where all are there."""
        done = subprocess.run(
            [str(self.python), "-c", f"import {', '.join(modules)}"],
            cwd=self.staged / name,
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr

    def verdicts(self, name: str) -> list[str]:
        """What its log says that it made of messages."""
        lines = self._components[name].log.read_text().splitlines()
        logged = [json.loads(line) for line in lines if line.startswith("{")]
        return [each["verdict"] for each in logged if each["message"] == "received"]


def stage_and_install(folder: Path) -> None:
    functions.stage(REPOSITORY, folder / "build")
    install(make_environment(folder / "python"), folder / "build" / "launch" / "requirements.txt")


@pytest.fixture(scope="module")
def served(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = made_once(tmp_path_factory, "clean", stage_and_install)
    python, staged = made / "python" / "bin" / "python", made / "build"
    folder, components = tmp_path_factory.mktemp("served"), {}
    for name in functions.NAMES:
        function = functions.function(name, staged, reserve_port(), system.environment, folder / f"{name}.log")
        components[name] = dataclasses.replace(function, command=[str(python), *function.command[1:]])
    try:
        for component in components.values():
            component.start()
        wait_until_ready([*components.values()], SECONDS_TO_START)
        yield Served(python, staged, components)
    finally:
        for component in components.values():
            component.stop()


def test_whatever_a_staged_folder_imports_is_there(served: Served) -> None:
    assert "ModuleNotFoundError" in served.imported("launch", ["pytest"])  # not this environment, but a clean one
    for name in functions.NAMES:
        modules = {module for path in (served.staged / name).rglob("*.py") for module in imports_of(path)}
        assert {"shared.wiring", "google.cloud.sql.connector", "pg8000.native"} <= modules
        assert served.imported(name, sorted(modules)) == ""


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def test_each_function_answers_a_real_request(served: Served, team: Team, system: System) -> None:
    name = team.unique("clean")
    team.write_sheet(name, [["id"], [1], [2]])
    config_id = team.add_config(name, run_frequency_hours=0)

    assert served.push("launch", {"config_id": config_id}) == 200
    [run] = team.wait_for_runs(config_id)
    assert (run.state, run.rows) == ("succeeded", 2)
    assert served.verdicts("launch") == ["accepted"]

    execution = str(run.execution).rpartition("/")[2]
    completed = {"run_id": run.id, "attempt": 1, "execution": execution, "outcome": "succeeded"}
    assert served.push("complete", completed) == 200
    assert served.verdicts("complete") == ["settled_before"]

    planned = json.loads(call(served.address("dispatch"), "/run", system.key_file, b'{"dry_run": true}'))
    assert planned["dry_run"] is True
    assert "published_again" in json.loads(call(served.address("dispatch"), "/sweep", system.key_file))
