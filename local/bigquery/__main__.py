"""`python -m local.bigquery --port N --data DIR`: serve BigQuery's REST API v2 over the data in DIR."""

from collections.abc import Sequence
from pathlib import Path

from local.bigquery.app import bigquery_app
from local.http import serve, server_arguments


def main(arguments: Sequence[str] | None = None) -> None:
    parser = server_arguments("BigQuery's REST API v2 on DuckDB and Parquet.")
    parser.add_argument("--data", type=Path, required=True, help="folder of tables and jobs; made if missing")
    parser.add_argument("--load-seconds", type=float, default=0.0, help="how long every load job takes at least")
    parser.add_argument("--faults", action="store_true", help="take orders to fail at POST /faults")
    options = parser.parse_args(arguments)
    app = bigquery_app(
        options.data,
        load_seconds=options.load_seconds,
        require_auth=options.require_auth,
        faulty=options.faults,
    )
    serve(app, options.port)


if __name__ == "__main__":
    main()
