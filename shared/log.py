"""Structured logging as Cloud Logging reads it: one JSON object a line, `severity` and `message` by their names.

The standard library's logging with a JSON formatter: structlog costs every cold start a tenth of a second.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

_logger = logging.getLogger("sheet_to_bigquery")
# What `bind` put on every line of this process.
_bound: dict[str, Any] = {}


class _CloudLogging(JsonFormatter):
    """The fields of structured payloads (cloud.google.com/logging/docs/structured-logging), and ours beside them.

    Nothing else of a record: what a library hangs on its own may be a cell.
    """

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        log_data.update(_bound)
        log_data.update(getattr(record, "fields", {}))
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        log_data["severity"] = record.levelname
        log_data["message"] = record.getMessage()
        if record.exc_info:
            log_data["exception"] = self.formatException(record.exc_info)


def configure() -> None:
    """Sends this process's log to standard error as JSON: our lines, and the libraries' warnings."""
    # In place of functions-framework's handlers, which write bare text.
    logging.basicConfig(handlers=[json_handler(sys.stderr)], level=logging.WARNING, force=True)
    _logger.setLevel(logging.INFO)
    logging.captureWarnings(True)


def json_handler(stream: TextIO) -> logging.Handler:
    """What writes a line of JSON for each record to `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_CloudLogging(json_ensure_ascii=False))
    # Below a warning, libraries chatter.
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name == _logger.name)
    return handler


def bind(**fields: Any) -> None:
    """Puts ids on every line from here on, the libraries' too."""
    _bound.update(fields)


def info(message: str, **fields: Any) -> None:
    """`info("launched", config_id=7, run_id=…)`: a past-tense verb and ids; never a cell, a header or a token."""
    _logger.info(message, extra={"fields": fields})


def warning(message: str, **fields: Any) -> None:
    """What somebody may want to look at."""
    _logger.warning(message, extra={"fields": fields})


def error(message: str, **fields: Any) -> None:
    """What somebody has to look at."""
    _logger.error(message, extra={"fields": fields})


def crash(message: str, mistake: Exception, **fields: Any) -> None:
    """A mistake in the code, with where it happened."""
    _logger.error(message, extra={"fields": fields}, exc_info=mistake)
