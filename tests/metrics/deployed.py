"""The log-based metrics that deploy.sh makes, read from its plan: filters, and what they measure."""

import json
import re
import shlex
from typing import Any, NamedTuple

from tests.deploy.deployment import plan


class Metric(NamedTuple):
    """`field` is the dotted path of the value that it measures; None where it counts."""

    filter: str
    field: str | None


def deployed_metrics() -> dict[str, Metric]:
    """Every metric of a deployment with the default names, by its name."""
    found: dict[str, Metric] = {}
    for line in plan("monitoring"):
        if "gcloud logging metrics create" not in line:
            continue
        words = shlex.split(line)
        if words[0] == "printf":
            content: dict[str, Any] = json.loads(words[2])
            extracted = re.fullmatch(r"EXTRACT\((.+)\)", content["valueExtractor"])
            assert extracted, content
            found[content["name"]] = Metric(content["filter"], extracted[1])
        else:
            [told] = [word.partition("=")[2] for word in words if word.startswith("--log-filter=")]
            found[words[4]] = Metric(told, None)
    return found
