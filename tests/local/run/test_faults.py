"""Faults that are ordered come to the next executions, and to no others."""

import httpx

from .conftest import Server, StartServer, condition


def order(server: Server, **faults: int) -> int:
    return httpx.post(f"{server.url}/faults", json=faults, trust_env=False).status_code


def test_an_execution_that_never_starts_waits_until_it_is_cancelled(start_server: StartServer) -> None:
    server = start_server("--faults")
    assert order(server, never_start=1) == 200
    name = server.run().metadata.name
    other = server.ended(server.run().metadata.name)
    assert condition(other, "Completed").state.name == "CONDITION_SUCCEEDED"
    waiting = server.execution(name)
    assert (waiting.start_time, waiting.running_count) == (None, 0)
    server.executions.cancel_execution(name=name, timeout=10)
    assert server.ended(name).cancelled_count == 1


def test_running_out_of_memory_is_told_with_exit_code_0(start_server: StartServer) -> None:
    server = start_server("--faults")
    order(server, out_of_memory=1)
    ended = server.ended(server.run().metadata.name)
    message = condition(ended, "Completed").message
    assert (ended.failed_count, "exit code: 0" in message, "memory limit" in message) == (1, True, True)


def test_a_server_that_was_not_started_with_faults_takes_no_orders(server: Server) -> None:
    assert order(server, never_start=1) == 404
