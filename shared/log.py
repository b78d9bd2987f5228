"""Structured logging as Cloud Logging reads it: one JSON object a line, `severity` and `message` by their names."""

import logging
import sys

import structlog


def configure() -> None:
    """Send every log line of this process, the libraries' warnings too, to standard error as JSON.

    The fields are those of Cloud Logging's structured payloads
    (cloud.google.com/logging/docs/structured-logging): `severity`, `message`, `time`; the rest is ours.
    """
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_EVERY_LINE, _JSON],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.contextvars.merge_contextvars],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_EVERY_LINE, _JSON],
        )
    )
    handler.setLevel(logging.WARNING)  # below it, libraries chatter
    # In place of functions-framework's handlers, which write bare text.
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)


def get() -> structlog.typing.FilteringBoundLogger:
    """The process's logger: `log.info("launched", config_id=7, run_id=…)`, a past-tense verb and ids."""
    return structlog.get_logger()


def _as_cloud_logging(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event["severity"] = event.pop("level").upper()
    event["message"] = event.pop("event")
    return event


_EVERY_LINE: tuple[structlog.typing.Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    structlog.processors.format_exc_info,
    _as_cloud_logging,
)
# What is not JSON's (times, ids) as text.
_JSON = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
