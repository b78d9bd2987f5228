"""verify asks Cloud Run whether settling may do what it does, as the identities that settle."""

import shlex
import subprocess

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import HOST, PLACE, PROJECT, REPOSITORY, deploy

SETTLING = [f"sheettobigquery-{name}@{PROJECT}.iam.gserviceaccount.com" for name in ("dispatch", "complete")]


def check_settling(cloud: Cloud) -> subprocess.CompletedProcess[str]:
    """That part of verify alone; the canary before it needs a whole system (`tests/e2e/test_verify.py`)."""
    script = f"""
set -- help && source {shlex.quote(str(REPOSITORY))}/deploy.sh >/dev/null
trap 'exit 1' TERM
read_arguments {" ".join(PLACE)} && check_settling
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
