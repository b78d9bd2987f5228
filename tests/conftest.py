"""What all tests share: one running local system per worker, and Google's clients pointed at it."""

import os
from collections.abc import Iterator

# Before anything imports gRPC, which otherwise starts its threads again in each copy of this process: of the processes
# that Component starts, one in a hundred dies of that before it is its own program.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

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
    with System(folder, samples) as running:
        yield running


@pytest.fixture(scope="session")
def clients(system: System) -> LocalClients:
    """Google's client libraries and a PostgreSQL connection, as the system's throw-away service account."""
    return LocalClients(system.settings)
