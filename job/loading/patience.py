"""How long BigQuery may take."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.api_core.retry import Retry

# Longest silence of one call, in seconds; an upload of the largest sheet is 30 MB.
SECONDS = 60
UPLOAD_SECONDS = 180
UPLOAD_RETRIES = 6
# How long BigQuery may be away before the attempt is given up, in seconds.
_AWAY = 120


def retry() -> "Retry":
    from google.cloud.bigquery.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(_AWAY)
