"""A server as a real process, Google's own clients, and small Python programs as jobs."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import run_v2

LOCATION = "projects/local-project/locations/us-central1"
JOB = f"{LOCATION}/jobs/sheettobigquery-job"
SECONDS_TO_ANSWER = 10
ROOT = Path(__file__).parents[3]


@dataclass
class Server:
    """One server; `stop` ends it, and what is started again with the same folder finds its executions."""

    process: subprocess.Popen[bytes]
    url: str
    folder: Path
    jobs: run_v2.JobsClient = field(init=False)
    executions: run_v2.ExecutionsClient = field(init=False)
    tasks: run_v2.TasksClient = field(init=False)

    def __post_init__(self) -> None:
        options = {"transport": "rest", "client_options": ClientOptions(api_endpoint=self.url)}
        anonymous = AnonymousCredentials()
        self.jobs = run_v2.JobsClient(credentials=anonymous, **options)
        self.executions = run_v2.ExecutionsClient(credentials=anonymous, **options)
        self.tasks = run_v2.TasksClient(credentials=anonymous, **options)

    def run(self, *args: str, env: dict[str, str] | None = None, **overrides: Any) -> Any:
        """RunJob with the overrides; its operation."""
        variables = [run_v2.EnvVar(name=name, value=value) for name, value in (env or {}).items()]
        container = run_v2.RunJobRequest.Overrides.ContainerOverride(args=args, env=variables)
        request = run_v2.RunJobRequest(
            name=JOB,
            overrides=run_v2.RunJobRequest.Overrides(container_overrides=[container], **overrides),
        )
        return self.jobs.run_job(request=request, timeout=SECONDS_TO_ANSWER)

    def execution(self, name: str) -> run_v2.Execution:
        return self.executions.get_execution(name=name, timeout=SECONDS_TO_ANSWER)

    def ended(self, name: str, seconds: float = 20) -> run_v2.Execution:
        """The execution when it has ended."""
        return self.until(lambda: self.execution(name), lambda found: bool(found.completion_time), seconds)

    def until(self, read: Callable[[], Any], reached: Callable[[Any], bool], seconds: float = 20) -> Any:
        return until(read, reached, seconds)

    def log(self, execution: run_v2.Execution) -> str:
        path = Path(execution.log_uri.removeprefix("file://"))
        return path.read_text() if path.exists() else ""

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=10)


def until(read: Callable[[], Any], reached: Callable[[Any], bool], seconds: float = 20) -> Any:
    """What `read` returns once it is `reached`; fails with the last reading after `seconds`."""
    deadline = time.monotonic() + seconds
    while not reached(found := read()):
        assert time.monotonic() < deadline, f"not reached in {seconds} s: {found}"
        time.sleep(0.02)
    return found


def condition(execution: run_v2.Execution, kind: str) -> run_v2.Condition:
    return next(condition for condition in execution.conditions if condition.type_ == kind)


StartServer = Callable[..., Server]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start a server with a job whose arguments are a Python program's source; all are stopped at the end."""
    started: list[Server] = []

    def start(*options: str, job: dict[str, Any] | None = None, folder: str = "data") -> Server:
        job_file = tmp_path / "job.json"
        job_file.write_text(json.dumps(job_description(tmp_path) | (job or {})))
        data = tmp_path / folder
        command = [
            sys.executable,
            "-m",
            "local.run",
            "--port",
            "0",
            "--data",
            data,
            "--job-file",
            job_file,
            *options,
        ]
        log = (tmp_path / "server.log").open("ab")
        offset = log.tell()
        process = subprocess.Popen(command, stderr=log, cwd=ROOT)
        url = _url(process, Path(log.name), offset)
        started.append(Server(process, url, data))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def job_description(folder: Path) -> dict[str, Any]:
    return {
        "name": JOB,
        "command": [sys.executable, "-c"],
        "args": ["print('from the job')"],
        "cwd": str(folder),
        "env": {"FROM_JOB": "job", "CHANGED": "by the job"},
        "maxRetries": 0,
        "timeout": "60s",
    }


def _url(process: subprocess.Popen[bytes], log: Path, offset: int) -> str:
    marker = "serving on "

    def read() -> str:
        assert process.poll() is None, log.read_text()
        return log.read_text()[offset:]

    url = until(read, lambda text: marker in text).partition(marker)[2].split()[0]
    until(lambda: _answers(url), bool)
    return str(url)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).text == "Ok"
    except httpx.HTTPError:
        return False


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server()


def alive(pid: int) -> bool:
    """Whether the process runs: one that nobody has waited for yet has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
