"""A function whose deployment is wrong says so to its operator, and does not blame who called it."""

import os
from pathlib import Path

import httpx

from local import functions
from local.component import wait_until_ready
from local.ports import reserve_port

REPOSITORY = Path(__file__).parents[3]


def test_a_dispatch_without_its_settings_is_our_failure_and_is_logged(tmp_path: Path) -> None:
    functions.stage(REPOSITORY, tmp_path)
    log = tmp_path / "dispatch.log"
    environment = {"PATH": os.environ["PATH"], "POSTGRES_PORT": "a port"}
    component = functions.function("dispatch", tmp_path, reserve_port(), environment, log)
    component.start()
    try:
        wait_until_ready([component], seconds=30)
        answer = httpx.post(f"{component.address}/run", timeout=30, trust_env=False)
    finally:
        component.stop()
    told = answer.json()["error"]
    assert (answer.status_code, told["class"]) == (500, "InvalidSettings")
    assert "POSTGRES_PORT" in told["message"]
    assert "InvalidSettings" in log.read_text()
    assert "POSTGRES_PORT" in log.read_text()
