"""What all tests share: one running local system per worker, and Google's clients pointed at it."""

from collections.abc import Iterator

import pytest

from local.clients import LocalClients
from local.ports import forget_proxies
from local.sample_files import copy_samples
from local.system import System


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system, serving copies of the samples; shared, so name configs and tables for the test alone."""
    forget_proxies()
    folder = tmp_path_factory.mktemp("system")
    samples = folder / "samples"
    copy_samples(samples)
    with System(folder, samples, with_console=True) as running:
        yield running


@pytest.fixture(scope="session")
def clients(system: System) -> LocalClients:
    """Google's client libraries and a PostgreSQL connection, as the system's throw-away service account."""
    return LocalClients(system.settings)
