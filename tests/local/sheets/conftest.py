"""Servers over the samples and over a folder of the test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.local.sheets.serving import SAMPLES, Server, running


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over the sample spreadsheets."""
    with running(SAMPLES, tmp_path_factory.mktemp("samples") / "log") as server:
        yield server


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers over a folder of the test's own, `tmp_path / "folder"`."""
    folder = tmp_path / "folder"
    folder.mkdir()
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(running(folder, tmp_path / "log", *options))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "folder"
