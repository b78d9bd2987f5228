"""What all tests share: one running local system per worker, and Google's clients pointed at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from local.clients import LocalClients
from local.ports import forget_proxies
from local.sample_files import copy_samples
from local.system import System

# What is found must not depend on how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# What takes minutes, the longest first: begun last, it would keep one worker busy while the others have nothing left.
LONG = (
    "faults/test_rounds.py",
    "e2e/test_hundred.py",
    "migration/test_migration.py",
    "browser/test_every_page.py",
    "e2e/test_forward.py",
    "permissions",
    "guide/test_migration_guide.py",
    "local/system/test_ending.py",
    "image/test_runtime.py",
    "integration/job/test_options.py",
    "e2e",
    "guide",
    "deploy",
    "integration",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first; the order within a file stays."""
    items.sort(key=lambda item: _rank(item.path.relative_to(Path(__file__).parent).as_posix()))


def _rank(path: str) -> int:
    return next((rank for rank, begins in enumerate(LONG) if path.startswith(begins)), len(LONG))


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
