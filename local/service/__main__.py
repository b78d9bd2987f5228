"""`python -m local.service`: serves the older service's endpoint until SIGTERM."""

from collections.abc import Sequence
from pathlib import Path

from local.credentials import public_key
from local.http import serve, server_arguments
from local.service.app import Service
from local.service.identity import Gate
from local.service.sync import Syncs


def main(arguments: Sequence[str] | None = None) -> None:
    parser = server_arguments("A stand-in for the older service, which loads what each message says")
    parser.add_argument("--key-file", type=Path, required=True, help="the service account that it works as")
    parser.add_argument("--audience", required=True, help="the address that callers' ID tokens are for")
    parser.add_argument("--sheets", required=True, help="where the Sheets API is")
    parser.add_argument("--bigquery", required=True, help="where BigQuery is")
    parser.add_argument("--faults", action="store_true", help="take orders to fail at POST /faults")
    options = parser.parse_args(arguments)
    gate = Gate(public_key(options.key_file), options.audience)
    syncs = Syncs(str(options.key_file), options.sheets, options.bigquery)
    serve(Service(gate, syncs, faulty=options.faults).application(), options.port)


if __name__ == "__main__":
    main()
