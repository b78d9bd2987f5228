"""Running a job: what the program gets, what the API shows, and how it ends."""

from google.cloud import run_v2

from .conftest import Server, condition

State = run_v2.Condition.State


def test_an_execution_runs_the_program_and_succeeds(server: Server) -> None:
    operation = server.run("print('hello')")
    execution = operation.result(timeout=20)
    assert execution.succeeded_count == 1
    assert execution.completion_time
    assert execution.running_count == 0
    assert not execution.reconciling
    assert condition(execution, "Completed").state == State.CONDITION_SUCCEEDED
    assert server.log(execution) == "hello\n"
