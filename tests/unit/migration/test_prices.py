"""What resources cost at given prices, and Cloud Run's words for sizes."""

import pytest

from migration.prices import Prices
from migration.sizes import Size, parse_size


def test_each_price_is_for_its_own_resource():
    prices = Prices(
        job_cpu_second=1,
        job_gib_second=10,
        service_cpu_second=100,
        service_gib_second=1_000,
        million_requests=10_000,
        queried_tib=7,
    )
    assert prices.job(2, 3) == 32
    assert prices.service(2, 3, 500_000) == 8_200
    assert prices.queries(2 * 2**40) == 14


@pytest.mark.parametrize(
    ("cpu", "memory", "size"),
    [
        ("1", "512Mi", Size(1, 0.5)),
        ("500m", "2Gi", Size(0.5, 2)),
        ("1000m", "1073741824", Size(1, 1)),
        ("2", "1G", Size(2, 10**9 / 2**30)),
    ],
)
def test_sizes_are_read_as_cloud_run_writes_them(cpu, memory, size):
    assert parse_size(cpu, memory) == size


def test_a_size_that_is_none_is_refused():
    with pytest.raises(ValueError, match="could not convert"):
        parse_size("much", "512Mi")
