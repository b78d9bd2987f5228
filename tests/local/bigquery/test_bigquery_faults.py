"""Faults that are ordered come to load jobs, whose tables stay as they were."""

from collections.abc import Callable

import httpx
import pytest
from google.api_core.exceptions import GoogleAPICallError

from .conftest import Server, Warehouse


def order(server: Server, **faults: object) -> int:
    return httpx.post(f"{server.url}/faults", json=faults, trust_env=False).status_code


def test_a_load_that_is_ordered_to_fail_leaves_the_table_as_it_was(
    start_server: Callable[..., Server], make_warehouse: Callable[..., Warehouse]
) -> None:
    server = start_server("--faults")
    warehouse = make_warehouse(server.client("EU"))
    warehouse.loaded({"n": [1]})
    assert order(server, failing_loads=1, reason="quotaExceeded") == 200
    with pytest.raises(GoogleAPICallError, match="quotaExceeded"):
        warehouse.loaded({"n": [2]}, write_disposition="WRITE_TRUNCATE")
    assert warehouse.rows() == [(1,)]
    warehouse.loaded({"n": [3]}, write_disposition="WRITE_TRUNCATE")
    assert warehouse.rows() == [(3,)]


def test_loads_are_as_slow_as_is_ordered(
    start_server: Callable[..., Server], make_warehouse: Callable[..., Warehouse]
) -> None:
    server = start_server("--faults")
    warehouse = make_warehouse(server.client("EU"))
    order(server, load_seconds=1.0)
    job = warehouse.loaded({"n": [1]})
    assert (job.ended - job.started).total_seconds() >= 1


def test_a_server_that_was_not_started_with_faults_takes_no_orders(server: Server) -> None:
    assert order(server, failing_loads=1) == 404
