"""verify asks Cloud Run whether settling may do what it does, and the console whom it lets in."""

import shlex
import subprocess

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import HOST, PLACE, PROJECT, REPOSITORY, deploy

SETTLING = [f"sheettobigquery-{name}@{PROJECT}.iam.gserviceaccount.com" for name in ("dispatch", "complete")]


def check_settling(cloud: Cloud) -> subprocess.CompletedProcess[str]:
    return check(cloud, "check_settling")


def check(cloud: Cloud, part: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """A part of verify alone; the canary before it needs a whole system (`tests/e2e/test_verify.py`)."""
    script = f"""
set -- help && source {shlex.quote(str(REPOSITORY))}/deploy.sh >/dev/null
trap 'exit 1' TERM
read_arguments {" ".join([*PLACE, *flags])} && check_project && {part}
"""
    return subprocess.run(
        ["bash", "-c", script],
        env=cloud.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_grant_on_the_job_that_holds_for_its_executions_is_told(deployed: Cloud) -> None:
    deployed.write(deployed.state | {"impersonated": SETTLING})
    done = check_settling(deployed)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("may list, see and end executions") == 2
    assert "token of" not in " ".join(" ".join(call["argv"]) for call in deployed.calls())


def test_one_that_does_not_is_told_with_the_setting_that_helps(deployed: Cloud) -> None:
    deployed.write(deployed.state | {"impersonated": SETTLING, "executions_inherit": False})
    done = check_settling(deployed)
    assert done.returncode == 1
    assert "--executions-grant=project" in done.stderr
    done = deploy(deployed, *HOST, "--executions-grant=project")
    assert done.returncode == 0, done.stderr
    assert check_settling(deployed).returncode == 0


@pytest.mark.parametrize("impersonated", [[], SETTLING[:1]])
def test_who_may_not_be_those_identities_is_told_how_to_look(deployed: Cloud, impersonated: list[str]) -> None:
    deployed.write(deployed.state | {"impersonated": impersonated})
    done = check_settling(deployed)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("roles/iam.serviceAccountTokenCreator") == 2 - len(impersonated)


def test_a_console_that_lets_in_whom_it_should_and_nobody_else_is_told(deployed: Cloud) -> None:
    done = check(deployed, "check_console")
    assert done.returncode == 0, done.stderr
    assert "nor you: to see it, ./deploy.sh … viewer user:YOU" in done.stderr
    assert deploy(deployed, "viewer", "user:owner@example.com").returncode == 0
    done = check(deployed, "check_console")
    assert done.returncode == 0, done.stderr
    assert "shows you its overview" in done.stderr
    assert "identity of" not in " ".join(" ".join(call["argv"]) for call in deployed.calls())
    assert deploy(deployed, *HOST, "--console-access=iap").returncode == 0
    done = check(deployed, "check_console", "--console-access=iap")
    assert done.returncode == 0, done.stderr
    assert "open it in a browser: https://sheettobigquery-console" in done.stderr


def test_a_console_that_is_open_to_everybody_is_told(deployed: Cloud) -> None:
    state = deployed.state
    state["policies"]["run services/sheettobigquery-console"] = [{"role": "roles/run.invoker", "members": ["allUsers"]}]
    deployed.write(state)
    done = check(deployed, "check_console")
    assert done.returncode == 2
    assert "the console answers 200 to somebody whom nobody knows" in done.stderr
