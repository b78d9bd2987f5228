"""What a load would bring, as one hash, and whether the destination has exactly that already."""

import hashlib
from typing import TYPE_CHECKING

import msgspec
from google.api_core import exceptions

from job.columns.table import Table
from job.loading.drift import Fitting
from job.loading.patience import SECONDS, retry
from job.loading.slot import Slot
from job.loading.standing import Standing
from shared import load_job

if TYPE_CHECKING:
    from google.cloud import bigquery

# A label's value has 63 characters at most.
_BYTES = 20


def content_hash(table: Table, fitting: Fitting, load_mode: str, destination: str) -> str:
    """Of the rows, the schema that they are loaded with, the way, and the destination, partition included."""
    schema = [(column.name, column.told) for column in fitting.schema]
    told = msgspec.json.encode([table.content_hash, schema, load_mode, destination])
    return hashlib.blake2b(told, digest_size=_BYTES).hexdigest()


def is_there(client: "bigquery.Client", slot: Slot, content: str, standing: Standing | None) -> bool:
    """Whether the destination has this content: the run's previous job brought it, and nobody has written since.

    A doubt is a no, and the content is loaded again: a job that cannot be seen, a table that changed in whatever way.
    """
    if slot.run is None or slot.run.previous_job is None or standing is None or standing.modified is None:
        return False
    try:
        job = client.get_job(
            slot.run.previous_job, project=slot.project, location=slot.location, retry=retry(), timeout=SECONDS
        )
    except (exceptions.NotFound, exceptions.Forbidden):
        return False
    seen = load_job.done(job) if job.state == "DONE" and not job.error_result else None
    brought = seen is not None and seen.verdict == "loaded" and seen.content_hash == content
    untouched = job.ended is not None and standing.modified <= job.ended and not standing.streaming
    return bool(brought and untouched)
