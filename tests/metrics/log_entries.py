"""What Cloud Logging keeps of the lines that a Cloud Run job prints.

cloud.google.com/run/docs/logging#container-logs and cloud.google.com/logging/docs/structured-logging: a line that is a
JSON object becomes `jsonPayload`, its `severity` and `time` the entry's own; any other line is `textPayload`, and of
severity DEFAULT. A `message` that nothing stands beside is documented to become `textPayload`, too.
"""

import json
from collections.abc import Iterable
from typing import Any

# google.logging.type.LogSeverity
SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")


def entries_of(lines: Iterable[str], job: str) -> list[dict[str, Any]]:
    """One entry a line; blank lines make none."""
    resource = {"type": "cloud_run_job", "labels": {"job_name": job}}
    return [{"resource": resource, **_payload(line)} for line in lines if line.strip()]


def _payload(line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return {"severity": "DEFAULT", "textPayload": line}
    severity = str(fields.pop("severity", "DEFAULT")).upper()
    fields.pop("time", None)
    severity = severity if severity in SEVERITIES else "DEFAULT"
    if fields.keys() == {"message"}:
        return {"severity": severity, "textPayload": str(fields["message"])}
    return {"severity": severity, "jsonPayload": fields}
