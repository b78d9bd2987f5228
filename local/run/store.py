"""Executions on disk: one JSON file each, so that they can be asked for after a restart."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from local.run.execution import ABORTED, RESTARTED_MESSAGE, Execution, Outcome

# https://cloud.google.com/run/quotas: completed executions kept per job.
MOST_ENDED_PER_JOB = 1000


class Store:
    """The executions of all jobs, oldest first; `homes` is where running tasks have their folders."""

    def __init__(self, folder: Path) -> None:
        folder = folder.resolve()
        self._folder = folder / "executions"
        self._logs = folder / "logs"
        self.homes = folder / "homes"
        # What the tasks of a killed server left behind.
        shutil.rmtree(self.homes, ignore_errors=True)
        for kept in (self._folder, self._logs, self.homes):
            kept.mkdir(parents=True, exist_ok=True)
        self._executions = {execution.name: execution for execution in self._read()}

    def _read(self) -> list[Execution]:
        paths = self._folder.glob("*.json")
        executions = [msgspec.json.decode(path.read_bytes(), type=Execution) for path in paths]
        return sorted(executions, key=lambda execution: (execution.created, execution.id))

    def get(self, name: str) -> Execution | None:
        return self._executions.get(name)

    def of_job(self, job: str) -> list[Execution]:
        return [execution for execution in self._executions.values() if execution.job == job]

    def all(self) -> list[Execution]:
        return list(self._executions.values())

    def running(self) -> int:
        """How many have not ended, waiting ones included."""
        return sum(not execution.ended for execution in self._executions.values())

    def log_path(self, execution_id: str) -> Path:
        return self._logs / f"{execution_id}.log"

    def save(self, execution: Execution) -> None:
        """Keep the execution as it is now; what was there before stays whole until then."""
        execution.updated = datetime.now(UTC)
        self._executions[execution.name] = execution
        path = self._path(execution)
        unfinished = path.with_suffix(".new")
        unfinished.write_bytes(msgspec.json.encode(execution))
        unfinished.replace(path)

    def delete(self, execution: Execution) -> None:
        self._executions.pop(execution.name, None)
        self._path(execution).unlink(missing_ok=True)
        Path(execution.log_path).unlink(missing_ok=True)

    def forget_oldest(self, job: str) -> None:
        """Delete the oldest ended and announced executions beyond what Cloud Run keeps."""
        ended = [execution for execution in self.of_job(job) if execution.ended and execution.announced]
        for execution in ended[: max(0, len(ended) - MOST_ENDED_PER_JOB)]:
            self.delete(execution)

    def fail_interrupted(self) -> None:
        """What ran when the server stopped has failed: its process was killed with the server."""
        now = datetime.now(UTC)
        for execution in self._executions.values():
            if execution.ended:
                continue
            for task in execution.tasks:
                if not task.ended:
                    task.state = "failed"
                    task.completed = now
                    task.last_attempt = Outcome(ABORTED, RESTARTED_MESSAGE)
            execution.completed = now
            self.save(execution)

    def _path(self, execution: Execution) -> Path:
        return self._folder / f"{execution.id}.json"
