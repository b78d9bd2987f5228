"""Faults of BigQuery itself, ordered by `POST /faults` where the server was started with `--faults`.

    {"load_seconds": 3.0, "failing_loads": 1, "reason": "backendError"}

Load jobs take at least `load_seconds` from then on; the next `failing_loads` end with an error of that reason, their
tables as they were.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.bigquery.errors import BigQueryError, invalid

CODES = {"backendError": 503, "quotaExceeded": 403, "rateLimitExceeded": 403}


class Faults(msgspec.Struct, forbid_unknown_fields=True):
    """What load jobs meet."""

    load_seconds: float | None = None
    failing_loads: int = 0
    reason: str = "backendError"

    def strike(self) -> None:
        """Raises what this load job ends with, if it is to fail."""
        if self.failing_loads > 0:
            self.failing_loads -= 1
            raise BigQueryError(CODES.get(self.reason, 400), self.reason, "The job encountered an error.")


async def order(request: Request) -> Response:
    """Replaces what was ordered before."""
    try:
        faults = msgspec.json.decode(await request.body(), type=Faults)
    except msgspec.DecodeError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    warehouse = request.app.state.warehouse
    warehouse.faults = faults
    if faults.load_seconds is not None:
        warehouse.load_seconds = faults.load_seconds
    return JSONResponse({})


ROUTE = Route("/faults", order, methods=["POST"])
