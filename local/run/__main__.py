"""`python -m local.run --port N --data DIR --job-file JOB.json`: serve Cloud Run Jobs until SIGTERM."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from local.http import serve, server_arguments
from local.run.app import run_app
from local.run.audit_log import LogSink
from local.run.execution import Execution
from local.run.job import DeployedJob, JobFileError, read_job
from local.run.runner import Runner
from local.run.service import Service
from local.run.store import Store

# https://cloud.google.com/run/quotas: running executions per project and region.
MOST_RUNNING = 1000
SLOTS_PER_CPU = 2


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    store = Store(options.data)
    announce = LogSink(options.pubsub, options.completion_topic).announce if options.pubsub else _unannounced
    runner = Runner(store, options.cpu_slots, announce)
    service = Service(_jobs(options.job_file), store, runner, options.max_running)
    serve(run_app(service, runner, require_auth=options.require_auth, faults=options.faults), options.port)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = server_arguments("Cloud Run Jobs v2 that runs tasks as processes")
    parser.add_argument("--data", type=Path, required=True, help="folder for executions and their logs")
    parser.add_argument("--job-file", type=Path, action="append", required=True, help="a deployed job (JSON)")
    parser.add_argument("--pubsub", metavar="HOST:PORT", help="where to publish that an execution has ended")
    parser.add_argument("--completion-topic", metavar="projects/P/topics/T", help="the topic for it")
    parser.add_argument("--max-running", type=int, default=MOST_RUNNING, help="executions that may run or wait")
    parser.add_argument(
        "--cpu-slots",
        type=int,
        default=(os.cpu_count() or 1) * SLOTS_PER_CPU,
        help="tasks that run at a time; the others wait",
    )
    parser.add_argument("--faults", action="store_true", help="take orders to fail at POST /faults")
    options = parser.parse_args(arguments)
    if bool(options.pubsub) != bool(options.completion_topic):
        parser.error("--pubsub and --completion-topic belong together")
    if options.cpu_slots < 1:
        parser.error("--cpu-slots must be at least 1")
    return options


def _jobs(paths: Sequence[Path]) -> list[DeployedJob]:
    try:
        return [read_job(path) for path in paths]
    except JobFileError as error:
        raise SystemExit(str(error)) from error


async def _unannounced(_: Execution) -> None:
    """Nobody asked to hear of an execution's end."""


if __name__ == "__main__":
    main()
