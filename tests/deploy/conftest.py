"""A played project that is empty, and one in which everything runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import HOST, changes_of, deploy
from tests.deploy.serving import served


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with served(tmp_path / "cloud") as cloud:
        yield cloud


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The state of a project after one undisturbed deployment; `changes` are its commands."""
    with served(tmp_path_factory.mktemp("finished") / "cloud") as cloud:
        done = deploy(cloud, *HOST)
        assert done.returncode == 0, done.stderr
        return {**cloud.state, "changes": changes_of(cloud)}


@pytest.fixture
def deployed(cloud: Cloud, finished: dict[str, Any]) -> Cloud:
    """A project of the test's own in that state."""
    cloud.write({key: value for key, value in finished.items() if key != "changes"})
    return cloud
