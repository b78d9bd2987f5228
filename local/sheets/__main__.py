"""`python -m local.sheets`: serves a folder of .xlsx files until SIGTERM."""

import gc
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette

from local.http import google_app, serve, server_arguments
from local.sheets.api import COMPRESSION, Api, answer_file_gone, answer_no_workbook
from local.sheets.errors import Refused, answer_refusal
from local.sheets.library import Library, NoWorkbook
from local.sheets.quota import Quota

log = logging.getLogger("local.sheets")

# Answers are made of millions of small containers and no cycles: at Python's default of 700 the collector takes
# three quarters of the time of a large one.
OBJECTS_BETWEEN_COLLECTIONS = 200_000


def application(library: Library, quota: Quota, *, require_auth: bool) -> Starlette:
    """The server, which names its spreadsheets in its log when it starts."""

    @asynccontextmanager
    async def name_spreadsheets(_: Starlette) -> AsyncIterator[None]:
        for document in library.documents():
            log.info("%s: https://docs.google.com/spreadsheets/d/%s/edit", document.path.name, document.id)
        yield

    return google_app(
        Api(library, quota).routes(),
        require_auth=require_auth,
        middleware=[COMPRESSION],
        exception_handlers={
            Refused: answer_refusal,
            NoWorkbook: answer_no_workbook,
            FileNotFoundError: answer_file_gone,
        },
        lifespan=name_spreadsheets,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = server_arguments("Sheets v4 and Drive v3 over a folder of .xlsx files")
    parser.add_argument("--folder", type=Path, required=True, help="the folder of .xlsx files")
    parser.add_argument("--reads-per-minute", type=int, help="read quota of the Sheets API; default: none")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"--folder: {options.folder} is not a folder")
    if options.reads_per_minute is not None and options.reads_per_minute < 1:
        parser.error("--reads-per-minute: a quota is at least 1; leave it away for none")
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    quota = Quota(options.reads_per_minute)
    serve(application(Library(options.folder), quota, require_auth=options.require_auth), options.port)


if __name__ == "__main__":
    main()
