"""Runs executions: takes slots, starts attempts, retries, cancels, and tells when an execution has ended."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from local.run.execution import (
    CANCELLED,
    CANCELLED_MESSAGE,
    INTERNAL,
    Execution,
    Outcome,
    Task,
)
from local.run.faults import Faults
from local.run.job import seconds_of
from local.run.process import Program, run_attempt
from local.run.store import Store

Announce = Callable[[Execution], Coroutine[Any, Any, None]]

log = logging.getLogger("local.run")


class Runner:
    """The executions that have not ended.

    At most `slots` tasks run at a time; the others wait in line as pending, as if they were still being
    provisioned, so that many executions at once do not thrash a small machine. `announce` follows each end.
    """

    def __init__(self, store: Store, slots: int, announce: Announce) -> None:
        self.faults = Faults()
        self._store = store
        self._announce = announce
        self._free_slots = slots
        self._slots_changed = asyncio.Condition()
        self._cancelled: dict[str, asyncio.Event] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._background: set[asyncio.Task[None]] = set()

    def start(self, execution: Execution) -> None:
        """Keep the execution and start it in the background."""
        self._cancelled[execution.name] = asyncio.Event()
        self._ended[execution.name] = asyncio.Event()
        self._store.save(execution)
        self._in_background(self._run(execution))

    def announce_later(self, execution: Execution) -> None:
        """Announce an end that an earlier server could not."""
        self._in_background(self._tell(execution))

    async def cancel(self, execution: Execution) -> None:
        """Have its tasks terminated; returns before they are."""
        self._cancelled[execution.name].set()
        async with self._slots_changed:
            self._slots_changed.notify_all()

    async def wait(self, execution: Execution, seconds: float) -> None:
        """Return when the execution has ended, or after `seconds`."""
        ended = self._ended.get(execution.name)
        if ended is None:
            return
        try:
            await asyncio.wait_for(ended.wait(), seconds)
        except TimeoutError:
            return

    async def stop(self) -> None:
        """Kill everything that runs; what it was stays on disk as it was."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._left_background)

    def _left_background(self, task: "asyncio.Task[None]") -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("an execution was lost: %r", error, exc_info=error)

    async def _run(self, execution: Execution) -> None:
        await asyncio.gather(*(self._run_task(execution, task) for task in execution.tasks))
        execution.completed = datetime.now(UTC)
        self._store.save(execution)
        del self._cancelled[execution.name]
        self._ended.pop(execution.name).set()
        log.info("ended %s: %s", execution.id, "succeeded" if execution.succeeded else "did not succeed")
        await self._tell(execution)

    async def _tell(self, execution: Execution) -> None:
        await self._announce(execution)
        execution.announced = True
        if self._store.get(execution.name):
            self._store.save(execution)

    async def _run_task(self, execution: Execution, task: Task) -> None:
        state = await self._attempts(execution, task)
        task.completed = datetime.now(UTC)
        task.state = state
        self._store.save(execution)

    async def _attempts(self, execution: Execution, task: Task) -> Literal["succeeded", "failed", "cancelled"]:
        if struck := await self.faults.strike(self._cancelled[execution.name]):
            task.last_attempt = struck
            return "cancelled" if struck.code == CANCELLED else "failed"
        while await self._take_slot(self._cancelled[execution.name]):
            try:
                task.last_attempt = await self._attempt(execution, task)
            finally:
                await self._free_slot()
            if task.last_attempt.code == 0:
                return "succeeded"
            if task.last_attempt.code == CANCELLED:
                return "cancelled"
            if task.retried == execution.template.max_retries:
                return "failed"
            task.retried += 1
            task.state = "pending"
        task.last_attempt = Outcome(CANCELLED, CANCELLED_MESSAGE)
        return "cancelled"

    async def _attempt(self, execution: Execution, task: Task) -> Outcome:
        task.state = "running"
        task.started = task.started or datetime.now(UTC)
        self._store.save(execution)
        log.info("started %s attempt %d", execution.task_name(task), task.retried)
        try:
            outcome = await run_attempt(_program(execution, task, self._store.homes), self._cancelled[execution.name])
        except OSError as error:
            outcome = Outcome(INTERNAL, f"The container failed to start: {error.strerror}.")
        log.info("ended %s attempt %d: %s", execution.task_name(task), task.retried, outcome.message or "succeeded")
        return outcome

    async def _take_slot(self, cancelled: asyncio.Event) -> bool:
        """Wait for a slot in the order of asking; False if the execution was cancelled before it came."""
        async with self._slots_changed:
            await self._slots_changed.wait_for(lambda: self._free_slots > 0 or cancelled.is_set())
            if cancelled.is_set():
                return False
            self._free_slots -= 1
            return True

    async def _free_slot(self) -> None:
        async with self._slots_changed:
            self._free_slots += 1
            self._slots_changed.notify_all()


def _program(execution: Execution, task: Task, homes: Path) -> Program:
    template = execution.template
    return Program(
        command=[*template.command, *template.args],
        cwd=template.cwd,
        homes=homes,
        env={**template.env, **_task_environment(execution, task)},
        log_path=Path(execution.log_path),
        seconds=seconds_of(template.timeout),
        memory_mib=template.memory_mib,
    )


def _task_environment(execution: Execution, task: Task) -> dict[str, str]:
    """https://cloud.google.com/run/docs/container-contract#jobs-env-vars"""
    return {
        "CLOUD_RUN_JOB": execution.job_id,
        "CLOUD_RUN_EXECUTION": execution.id,
        "CLOUD_RUN_TASK_INDEX": str(task.index),
        "CLOUD_RUN_TASK_COUNT": str(len(execution.tasks)),
        "CLOUD_RUN_TASK_ATTEMPT": str(task.retried),
    }
