"""What Cloud Run's own API makes of an identity that looks at, or ends, an execution of the job."""

import json
import re
from typing import Any

from .flags import State
from .policies import granted


def called(state: State, call: Any) -> str:
    """The answer and its code, as `curl --write-out` prints them, for the identity whose token came as a header.

    Whether a grant on a job holds for its executions is not documented: the project's state says so.
    """
    place = re.search(r"/jobs/([^/]+)/executions", call.words[1])
    email = call.input.removeprefix("Authorization: Bearer token of ").strip()
    project = state["project"]["projectId"]
    role = f"projects/{project}/roles/sheettobigquery.executions"
    on_job = state.get("executions_inherit", True) and place and granted(state, f"run jobs/{place[1]}", role, email)
    if not on_job and not granted(state, f"projects/{project}", role, email):
        return json.dumps({"error": {"code": 403, "status": "PERMISSION_DENIED"}}) + "\n403"
    if call.flags["method"] == "POST":
        return json.dumps({"error": {"code": 400, "status": "FAILED_PRECONDITION"}}) + "\n400"
    name = f"{call.words[1].partition('/v2/')[2].partition('?')[0]}/ended-1".replace("/ended-1/ended-1", "/ended-1")
    return json.dumps({"executions": [{"name": name}]}) + "\n200"
