"""One system under faults per worker."""

from collections.abc import Iterator

import pytest

from local.ports import forget_proxies
from tests.faults.arena import Arena

# `make faults SEED=n` tries others.
SEED = 4


@pytest.fixture(scope="session")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """Shared, so name configs and tables for the test alone, and leave it healed."""
    forget_proxies()
    with Arena(tmp_path_factory.mktemp("arena"), SEED) as running:
        yield running
