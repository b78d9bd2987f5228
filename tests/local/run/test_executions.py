"""Running a job: what the program gets, how its end is told, and who waits for whom."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud import run_v2

from .conftest import JOB, Server, StartServer, alive, condition

State = run_v2.Condition.State
Reason = run_v2.Condition.ExecutionReason

PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"
IGNORE_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"


def test_an_execution_runs_the_program_and_succeeds(server: Server) -> None:
    execution = server.run("print('hello')").result(timeout=20)
    assert execution.succeeded_count == 1
    assert execution.create_time <= execution.start_time <= execution.completion_time
    assert execution.running_count == 0
    assert not execution.reconciling
    assert {kind.type_: kind.state for kind in execution.conditions} == {
        "Completed": State.CONDITION_SUCCEEDED,
        "ResourcesAvailable": State.CONDITION_SUCCEEDED,
        "Started": State.CONDITION_SUCCEEDED,
        "ContainerReady": State.CONDITION_SUCCEEDED,
    }
    assert server.log(execution) == "hello\n"


def test_the_operation_holds_the_execution_at_once(server: Server) -> None:
    operation = server.run("import time; time.sleep(60)")
    execution = operation.metadata
    name, _, suffix = execution.name.rpartition("-")
    assert name == f"{JOB}/executions/sheettobigquery-job"
    assert re.fullmatch(r"[a-z0-9]{5}", suffix)
    assert not operation.done()
    assert not execution.completion_time
    assert execution.reconciling


def test_the_program_gets_the_jobs_environment_merged_with_the_overrides(server: Server) -> None:
    operation = server.run(PRINT_ENVIRONMENT, env={"CHANGED": "by the override", "ADDED": "here, too"})
    execution = operation.result(timeout=20)
    environment = json.loads(server.log(execution))
    assert environment["FROM_JOB"] == "job"
    assert environment["CHANGED"] == "by the override"
    assert environment["ADDED"] == "here, too"
    shown = {variable.name: variable.value for variable in execution.template.containers[0].env}
    assert shown == {"FROM_JOB": "job", "CHANGED": "by the override", "ADDED": "here, too"}


def test_the_program_gets_nothing_of_the_servers_environment(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "x")
    server = start_server(job={"env": {}})
    execution = server.run(PRINT_ENVIRONMENT).result(timeout=20)
    environment = json.loads(server.log(execution))
    # Python itself adds LC_CTYPE where the locale is plain C.
    assert environment.keys() - {"LC_CTYPE"} == {
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "CLOUD_RUN_JOB",
        "CLOUD_RUN_EXECUTION",
        "CLOUD_RUN_TASK_INDEX",
        "CLOUD_RUN_TASK_COUNT",
        "CLOUD_RUN_TASK_ATTEMPT",
    }
    assert environment["CLOUD_RUN_JOB"] == "sheettobigquery-job"
    assert environment["CLOUD_RUN_EXECUTION"] == execution.name.rpartition("/")[2]
    assert environment["CLOUD_RUN_TASK_ATTEMPT"] == "0"
    assert not Path(environment["HOME"]).exists(), "the folder goes with the attempt"


def test_the_jobs_own_arguments_run_without_an_override_and_not_after_clearing_them(
    start_server: StartServer,
) -> None:
    server = start_server(job={"command": ["/bin/echo"], "args": ["from", "the", "job"]})
    unchanged = server.jobs.run_job(name=JOB, timeout=10).result(timeout=20)
    assert server.log(unchanged) == "from the job\n"
    clearing = run_v2.RunJobRequest.Overrides.ContainerOverride(clear_args=True)
    overrides = run_v2.RunJobRequest.Overrides(container_overrides=[clearing])
    request = run_v2.RunJobRequest(name=JOB, overrides=overrides)
    cleared = server.jobs.run_job(request=request, timeout=10).result(timeout=20)
    assert server.log(cleared) == "\n"


def test_an_exit_code_fails_the_execution_and_its_operation(server: Server) -> None:
    operation = server.run("raise SystemExit(3)")
    failure = operation.exception(timeout=20)
    assert "failed with exit code: 3" in str(failure)
    execution = server.execution(operation.metadata.name)
    assert execution.failed_count == 1
    assert execution.succeeded_count == 0
    completed = condition(execution, "Completed")
    assert completed.state == State.CONDITION_FAILED
    assert completed.execution_reason == Reason.NON_ZERO_EXIT_CODE
    assert "exit code: 3" in completed.message


def test_a_program_that_was_killed_fails_with_the_signals_exit_code(server: Server) -> None:
    operation = server.run("import os; os.kill(os.getpid(), 9)")
    execution = server.ended(operation.metadata.name)
    assert "exit code: 137" in condition(execution, "Completed").message


def test_a_failed_task_is_retried_with_the_next_attempts_number(start_server: StartServer) -> None:
    server = start_server(job={"maxRetries": 2})
    program = "import os; attempt = os.environ['CLOUD_RUN_TASK_ATTEMPT']; print(attempt); exit(attempt != '2')"
    execution = server.run(program).result(timeout=20)
    assert server.log(execution) == "0\n1\n2\n"
    assert execution.retried_count == 1
    assert execution.succeeded_count == 1
    assert execution.failed_count == 0
    [task] = server.tasks.list_tasks(parent=execution.name, timeout=10)
    assert task.retried == 2


def test_retries_end_after_the_jobs_number(start_server: StartServer) -> None:
    server = start_server(job={"maxRetries": 1})
    execution = server.ended(server.run("print('again'); exit(1)").metadata.name)
    assert server.log(execution) == "again\nagain\n"
    assert execution.failed_count == 1


def test_an_attempt_that_passes_its_timeout_is_terminated(server: Server) -> None:
    program = "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: exit(print('asked to end')))\n"
    operation = server.run(program + "time.sleep(60)", timeout="1s")
    execution = server.ended(operation.metadata.name)
    assert execution.failed_count == 1
    assert execution.template.timeout.seconds == 1
    assert "The configured timeout was reached." in condition(execution, "Completed").message
    assert server.log(execution) == "asked to end\n"


def test_an_attempt_that_passes_its_memory_fails_with_exit_code_0(start_server: StartServer) -> None:
    server = start_server(job={"memoryMiB": 64})
    operation = server.run("import time; large = bytearray(200 << 20); time.sleep(60)")
    execution = server.ended(operation.metadata.name)
    message = condition(execution, "Completed").message
    assert message.endswith("failed with exit code: 0 and message: The configured memory limit was reached.")


def test_what_the_program_started_ends_with_it(server: Server) -> None:
    program = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"
    execution = server.run(program).result(timeout=20)
    server.until(lambda: alive(int(server.log(execution))), lambda living: not living)


def test_tasks_of_one_execution_get_their_index(server: Server) -> None:
    program = "import os; print(os.environ['CLOUD_RUN_TASK_INDEX'], os.environ['CLOUD_RUN_TASK_COUNT'])"
    execution = server.run(program, task_count=3).result(timeout=20)
    assert sorted(server.log(execution).splitlines()) == ["0 3", "1 3", "2 3"]
    assert execution.task_count == execution.succeeded_count == 3


def test_one_failed_task_of_many_fails_the_execution_after_the_others_ended(server: Server) -> None:
    program = "import os; exit(int(os.environ['CLOUD_RUN_TASK_INDEX'] == '1'))"
    execution = server.ended(server.run(program, task_count=3).metadata.name)
    assert (execution.succeeded_count, execution.failed_count) == (2, 1)
    assert "task1 failed with exit code: 1" in condition(execution, "Completed").message


def test_executions_beyond_the_slots_wait_as_pending_and_then_run_in_order(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server("--cpu-slots", "1")
    order = tmp_path / "order"
    program = f"import os, time; print(os.environ['N'], file=open({str(order)!r}, 'a')); time.sleep(0.3)"
    operations = [server.run(program, env={"N": str(number)}) for number in range(3)]
    last = server.execution(operations[-1].metadata.name)
    assert condition(last, "Completed").state == State.CONDITION_PENDING
    assert not last.start_time
    assert last.running_count == 0
    for operation in operations:
        assert operation.result(timeout=20).succeeded_count == 1
    assert order.read_text().split() == ["0", "1", "2"]


def test_a_program_whose_folder_is_gone_fails_and_the_next_job_runs(start_server: StartServer, tmp_path: Path) -> None:
    folder = tmp_path / "soon gone"
    folder.mkdir()
    server = start_server(job={"cwd": str(folder)})
    folder.rmdir()
    execution = server.ended(server.run("pass").metadata.name)
    assert "The container failed to start" in condition(execution, "Completed").message
    folder.mkdir()
    assert server.run("pass").result(timeout=20).succeeded_count == 1


def test_validate_only_starts_nothing(server: Server) -> None:
    operation = server.jobs.run_job(request=run_v2.RunJobRequest(name=JOB, validate_only=True), timeout=10)
    assert operation.metadata.name
    assert list(server.executions.list_executions(parent=JOB, timeout=10)) == []


def test_a_cancelled_execution_is_terminated_and_counts_as_cancelled(server: Server) -> None:
    operation = server.run("import time; print('began', flush=True); time.sleep(60)")
    name = operation.metadata.name
    server.until(lambda: server.log(server.execution(name)), bool)
    cancelled = server.executions.cancel_execution(name=name, timeout=10).result(timeout=20)
    assert cancelled.cancelled_count == 1
    assert cancelled.running_count == cancelled.failed_count == cancelled.succeeded_count == 0
    completed = condition(cancelled, "Completed")
    assert completed.state == State.CONDITION_FAILED
    assert completed.execution_reason == Reason.CANCELLED
    assert operation.result(timeout=20).name == name


def test_cancelling_kills_what_ignores_sigterm_ten_seconds_later(server: Server) -> None:
    operation = server.run(f"{IGNORE_SIGTERM} import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    name = operation.metadata.name
    pid = int(server.until(lambda: server.log(server.execution(name)), bool))
    asked = datetime.now(UTC)
    server.executions.cancel_execution(name=name, timeout=10)
    cancelling = server.execution(name)
    assert condition(cancelling, "Completed").execution_reason == Reason.CANCELLING
    assert alive(pid)
    cancelled = server.ended(name, seconds=40)
    assert not alive(pid)
    assert 10 <= (cancelled.completion_time - asked).total_seconds() < 20


def test_a_waiting_execution_can_be_cancelled_and_never_starts(start_server: StartServer) -> None:
    server = start_server("--cpu-slots", "1")
    running = server.run("import time; time.sleep(60)")
    waiting = server.run("print('never')").metadata.name
    cancelled = server.executions.cancel_execution(name=waiting, timeout=10).result(timeout=20)
    assert cancelled.cancelled_count == 1
    assert not cancelled.start_time
    assert not running.done()
