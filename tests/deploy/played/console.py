"""What the console's address answers: Cloud Run, or Identity-Aware Proxy before it, asks who calls."""

from typing import Any
from urllib.parse import urlsplit

from .flags import State


def opened(state: State, call: Any) -> str:
    """The code, as `curl --write-out` prints it, for the identity whose token came as a header."""
    url = urlsplit(call.words[1])
    functions = state["resources"].get("functions", {})
    [name] = [name for name, each in functions.items() if each["serviceConfig"]["uri"] == f"https://{url.netloc}"]
    annotations = state["resources"]["run services"][name]["metadata"].get("annotations", {})
    if annotations.get("run.googleapis.com/iap-enabled") == "true":
        return "302"
    member = f"user:{call.input.removeprefix('Authorization: Bearer identity of ').strip()}"
    invokers = [
        each["members"]
        for each in state["policies"].get(f"run services/{name}", [])
        if each["role"] == "roles/run.invoker"
    ]
    if not any(member in members or "allUsers" in members for members in invokers):
        return "403"
    return "200" if url.path == "/overview.json" else "404"
