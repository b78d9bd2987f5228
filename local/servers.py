"""The local servers, each `python -m local.NAME`, as components, and the job that Cloud Run runs."""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from local.component import Component, answers
from local.environment import JOB, PROJECT, REGION, Environment
from local.pubsub import COMPLETIONS

REPOSITORY = Path(__file__).resolve().parent.parent


def credentials(environment: Environment, log: Path) -> Component:
    """The token endpoint of the throw-away service account."""
    return _server("credentials", ["--key-file", str(environment.key_file)], environment, log)


def sheets(environment: Environment, samples: Path, log: Path) -> Component:
    """Sheets v4 and Drive v3 over the .xlsx files in `samples`."""
    return _server("sheets", ["--folder", str(samples), "--require-auth"], environment, log)


def bigquery(environment: Environment, log: Path) -> Component:
    """BigQuery v2, with its tables on disk."""
    data = environment.folder / "bigquery"
    options = ["--data", str(data), "--require-auth", *_faults(environment)]
    return _server("bigquery", options, environment, log)


def run(environment: Environment, log: Path) -> Component:
    """Cloud Run Jobs v2 with the one job deployed."""
    options = ["--data", str(environment.folder / "run"), "--job-file", str(_job_file(environment))]
    options += ["--pubsub", environment.pubsub.host]
    options += ["--completion-topic", f"projects/{PROJECT}/topics/{COMPLETIONS}", "--require-auth"]
    options += _faults(environment)
    return _server("run", options, environment, log)


def service(environment: Environment, log: Path) -> Component:
    """The older service, which takes calls for the address at which it is reached."""
    options = ["--key-file", str(environment.key_file), "--audience", environment.service_url]
    options += ["--sheets", environment.endpoints["SHEETS_API_ENDPOINT"]]
    options += ["--bigquery", environment.endpoints["BIGQUERY_EMULATOR_HOST"], *_faults(environment)]
    return _server("service", options, environment, log)


def scheduler(environment: Environment, log: Path) -> Component:
    """Cloud Scheduler's two calls of dispatch."""
    options = ["--dispatch", environment.url("dispatch"), "--key-file", str(environment.key_file)]
    return _server("scheduler", options, environment, log)


def _faults(environment: Environment) -> Sequence[str]:
    return ["--faults"] if environment.faulty else []


def _job_file(environment: Environment) -> Path:
    """The deployed job, as `python -m local.run --job-file` takes it."""
    job = {
        "name": f"projects/{PROJECT}/locations/{REGION}/jobs/{JOB}",
        "command": [sys.executable, "main.py"],
        "cwd": str(REPOSITORY),
        "env": dict(environment.job),
        # As deployed: Postgres alone retries.
        "maxRetries": 0,
        "timeout": "1800s",
    }
    path = environment.folder / "job.json"
    path.write_text(json.dumps(job, indent=2))
    return path


def _server(name: str, options: Sequence[str], environment: Environment, log: Path) -> Component:
    url = environment.url(name)
    return Component(
        name=name,
        command=[sys.executable, "-m", f"local.{name}", "--port", str(environment.ports[name]), *options],
        environment=environment.process,
        folder=REPOSITORY,
        log=log,
        ready=lambda: answers(url),
        address=url,
        # Not by force: the Cloud Run server has processes of its own to end.
        death_signal=signal.SIGTERM,
    )
