"""procrastinate's way to record as many jobs: `deferring.py COUNT`, or `deferring.py schema`, by .venv-bench's Python.

A thousand in a call, as its documentation advises for many; a job carries what a run's message does.
"""

import os
import sys
import uuid

from measured import Stopwatch
from procrastinate import App, SyncPsycopgConnector

IN_A_CALL = 1000


def main(wanted: str) -> None:
    server = {
        "host": os.environ["POSTGRES_HOST"],
        "port": os.environ["POSTGRES_PORT"],
        "dbname": os.environ["POSTGRES_DB"],
        "user": os.environ["POSTGRES_USER"],
        "password": os.environ["POSTGRES_PASSWORD"],
    }
    app = App(connector=SyncPsycopgConnector(kwargs=server))

    @app.task(name="launch", queue="requests")
    def launch(run_id: str) -> None:
        """Nobody works these jobs off."""

    with app.open():
        if wanted == "schema":
            app.schema_manager.apply_schema()
            return
        count = int(wanted)
        run_ids = [str(uuid.uuid4()) for _ in range(count)]
        stopwatch = Stopwatch()
        deferred = 0
        for start in range(0, count, IN_A_CALL):
            jobs = launch.batch_defer(*({"run_id": run_id} for run_id in run_ids[start : start + IN_A_CALL]))
            deferred += len(jobs)
        stopwatch.tell(deferred)


if __name__ == "__main__":
    main(sys.argv[1])
