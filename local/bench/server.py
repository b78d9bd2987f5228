"""`python -m local.bench.server`: one generated tab, read through Sheets and Drive, loaded into nothing.

Sheets and Drive are the local system's own server over a spreadsheet in memory; each answer is made once and kept,
so that the runs measured are not slowed by making it.
"""

import datetime
from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware

from local.bench.tab import SPREADSHEET_ID, Size, spreadsheet
from local.bench.traffic import Traffic, counted, kept, measured_route
from local.bench.uploads import Uploads
from local.credentials import token_route
from local.http import google_app, serve, server_arguments
from local.sheets.api import COMPRESSION, Api
from local.sheets.errors import Refused, answer_refusal
from local.sheets.library import Document, Library, Version
from local.sheets.quota import Quota


class GeneratedDocument(Document):
    """A spreadsheet in memory that nobody edits."""

    def __init__(self, size: Size) -> None:
        # Drive's answer looks at a file: this one stands for it.
        super().__init__(SPREADSHEET_ID, Path(__file__))
        self._generated = Version(spreadsheet(size), 1, datetime.datetime.now(datetime.UTC))

    def current(self) -> Version:
        return self._generated


class GeneratedLibrary(Library):
    """The one spreadsheet."""

    def __init__(self, size: Size) -> None:
        super().__init__(Path(__file__).parent)
        self._document = GeneratedDocument(size)

    def document(self, spreadsheet_id: str) -> Document | None:
        return self._document if spreadsheet_id == SPREADSHEET_ID else None


def bench_app(size: Size, key_file: Path) -> Starlette:
    traffic = Traffic()
    routes = [
        measured_route(traffic),
        token_route(key_file),
        *Api(GeneratedLibrary(size), Quota(None)).routes(),
        *Uploads(traffic).routes(),
    ]
    return google_app(
        routes,
        middleware=[Middleware(counted, traffic=traffic), Middleware(kept), COMPRESSION],
        exception_handlers={Refused: answer_refusal},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = server_arguments("A generated tab, and a BigQuery that swallows what is loaded")
    parser.add_argument("--size", type=Size.parse, required=True, help="ROWSxCOLUMNS")
    parser.add_argument("--key-file", type=Path, required=True, help="the service account's key file")
    options = parser.parse_args(arguments)
    serve(bench_app(options.size, options.key_file), options.port)


if __name__ == "__main__":
    main()
