"""The job: one config's sheet into its BigQuery table.

Everything it needs is in its environment (`shared/settings.py`); what it did leaves as one load job, one
`RunCompleted` message, and the last line of its log.
"""

import gc
import os
import sys
from typing import TYPE_CHECKING

from shared.interpreter import leave_after, use_right_interpreter

if __name__ == "__main__":
    gc.disable()  # neither modules nor cells make cycles worth a look: it would cost a tenth of the time
    use_right_interpreter()

import pyarrow as pa

from job import report
from job.errors import UnexpectedFailure
from job.loading.load import Loaded, columns_to_keep, load
from job.reading.calls import Calls
from job.reading.read import Reading, read_table
from job.reading.refusals import Subject
from job.reading.sheet import SheetReader
from shared import failpoints, log
from shared.clients import Clients
from shared.errors import SyncError
from shared.plan import Plan, PlanError
from shared.settings import JobSettings, PlanIdentity, read_failpoints, read_job_settings

if TYPE_CHECKING:
    from google.auth.credentials import Credentials


def main() -> int:
    """Runs the job that the environment describes; 0 if the table is loaded, or the plan told, 1 if not."""
    log.configure()
    failpoints.arm(read_failpoints(os.environ))
    _use_little()
    tally = report.Tally()
    try:
        settings, clients = read_job_settings(os.environ), Clients(os.environ)
    except SyncError as problem:
        return end(f"Job execution failed: {problem.name}: {problem}", 1)
    report.bind(settings)
    if settings.plan:
        return plan(settings, settings.plan, clients)
    try:
        loaded = sync(settings, clients, tally)
    except Exception as problem:
        error = problem if isinstance(problem, SyncError) else UnexpectedFailure.of(problem)
        report.tell_failure(settings, clients, tally, error)
        return end(f"Job execution failed: {error.name}: {error}", 1)
    failpoints.failpoint("job.after_load")
    report.tell_success(settings, clients, tally, loaded)
    failpoints.failpoint("job.after_publish")
    return end(f"Job completed successfully: {_told(loaded)} {settings.config.destination}", 0)


def _told(loaded: Loaded) -> str:
    match loaded.verdict:
        case "unchanged":
            return f"{loaded.rows} rows are unchanged in"
        case "kept":
            return "no rows in the sheet, nothing changed in"
        case _:
            return f"{loaded.rows} rows into"


def plan(settings: JobSettings, wish: PlanIdentity, clients: Clients) -> int:
    """Tells what a run would do, and loads nothing; 0 if that is told, whatever it is."""
    from job.planning.plan import plan_load  # what it imports would only delay a load

    try:
        made = plan_load(
            settings.config,
            clients,
            wish.bigquery_job_project,
            settings.bigquery_location,
            settings.sheets_reads_per_minute,
        ).plan
    except Exception as problem:
        made = Plan(errors=(PlanError.of(UnexpectedFailure.of(problem)),))
    failpoints.failpoint("job.after_plan")
    if not report.tell_plan(wish, settings.execution, clients, made):
        return end("Job execution failed: its plan could not be published", 1)
    if made.errors:
        return end(f"Job planned: a run would fail: {made.errors[0].error_class}: {made.errors[0].told}", 0)
    return end(f"Job planned: {made.rows} rows would go into {settings.config.destination}, nothing was loaded", 0)


def sync(settings: JobSettings, clients: Clients, tally: report.Tally) -> Loaded:
    """Reads the sheet, then brings it into the table in one load."""
    with tally.stage("read"):
        tally.reading = get_sheet_data(settings, clients, tally)
    failpoints.failpoint("job.after_read")
    with tally.stage("load"):
        subject = Subject.of(settings.config, clients.identity).config
        return load(tally.reading.table, settings, clients.bigquery, subject)


def get_sheet_data(settings: JobSettings, clients: Clients, tally: report.Tally) -> Reading:
    """The config's tab as a typed table, with the warnings that its owner should see."""
    subject = Subject.of(settings.config, clients.identity)
    tally.calls = Calls(subject, settings.sheets_reads_per_minute)
    standing = columns_to_keep(settings, clients.bigquery)
    reader = SheetReader(tally.calls, clients.sheets(), clients.drive(), settings.config)
    return read_table(reader, settings.config, subject.config, standing)


def get_credentials() -> "Credentials":
    """The credentials that the job would use here: Application Default Credentials, or the older service's key."""
    return Clients(os.environ).credentials


def _use_little() -> None:
    """The library's defaults are for machines that one process has to itself; half a gigabyte is all there is."""
    pa.set_cpu_count(1)
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own keeps 40 MiB of what is freed


def end(line: str, code: int) -> int:
    """Writes the line that the guide's metrics look for: plain text, alone on standard output."""
    sys.stdout.write(" ".join(line.split()) + "\n")
    return code


if __name__ == "__main__":
    if sys.argv[1:]:
        # A stray `--help` must not replace a table.
        sys.stderr.write("main.py takes no arguments: its settings are environment variables (see README.md)\n")
        sys.exit(2)
    leave_after(main)
