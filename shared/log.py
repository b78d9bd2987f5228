"""Structured logging as Cloud Logging reads it: one JSON object a line, `severity` and `message` by their names."""

import logging
import sys

import structlog


def configure(least: int = logging.INFO) -> None:
    """Send the log lines of this process, from level `least` up, to standard error as JSON.

    The fields are those of Cloud Logging's structured payloads
    (cloud.google.com/logging/docs/structured-logging): `severity`, `message`, `time`; the rest is ours.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            _as_cloud_logging,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get() -> structlog.typing.FilteringBoundLogger:
    """The process's logger: `log.info("launched", config_id=7, run_id=…)`, a past-tense verb and ids."""
    return structlog.get_logger()


def _as_cloud_logging(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event["severity"] = event.pop("level").upper()
    event["message"] = event.pop("event")
    return event
