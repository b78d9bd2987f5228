"""deploy.sh, run against a played project, or only for its plan."""

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.deploy.cloud import Cloud

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = str(REPOSITORY / "deploy.sh")
PROJECT, REGION = "hkd-reporting", "us-central1"
PLACE = (f"--project={PROJECT}", f"--region={REGION}")
# A database by host and password; its schema is another test's (`test_deploy_database.py`).
HOST = ("--postgres-host=db.example.com", "--postgres-db=syncs", "--postgres-user=sync", "--migrate=no")
CLOUD_SQL = (f"--cloud-sql-instance={PROJECT}:{REGION}:syncs", "--postgres-db=syncs", "--migrate=no")
# Everything that a deployment may ask for beyond the least.
MORE = (
    "--alert-email=team@example.com",
    "--alert-slack-channel=#dev_alerts",
    "--datasets=hkd-reporting.sales,other-project.stock",
    "--slack-secret=slack-token",
    "--webhook-secret=webhook",
    "--legacy-key-secret=legacy-key",
    "--vpc-connector=vpc",
    "--bigquery-job-project=billing-project",
)
_ASKED = re.compile(r"\$\((gcloud (?:[^()]|\([^()]*\))*)\)")


def deploy(cloud: Cloud, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """deploy.sh in the played project, from another folder, as a person may call it."""
    more = {"BUILD_FOLDER": str(cloud.folder / "build"), "POSTGRES_PASSWORD": "the password"}
    return _run([*PLACE, *arguments], cloud.environment | more | environment, cloud.folder)


def plan(*arguments: str) -> list[str]:
    """The lines of a dry run, on a machine that has no gcloud, no login and no network."""
    done = _run([*PLACE, "--dry-run", *arguments], {"PATH": "/usr/bin:/bin"}, Path("/"))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _run(arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DEPLOY, *arguments],
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def gcloud_commands(line: str) -> list[str]:
    """The commands of gcloud in one line of a plan: what it asks for, and what it does with the answer."""
    asked = _ASKED.findall(line)
    rest = re.sub(r" > \S+$", "", _ASKED.sub("https://asked.example", line))
    before, piped, command = rest.rpartition(" | gcloud ")
    command = f"gcloud {command}" if piped and before.startswith("printf") else rest
    return [*asked, command] if command.startswith("gcloud ") else asked


def flags_of(command: str) -> dict[str, str]:
    """A command's flags and their values."""
    words = [word for word in shlex.split(command) if word.startswith("--")]
    return dict(word.removeprefix("--").partition("=")[::2] for word in words)


def member(component: str) -> str:
    return f"serviceAccount:sheettobigquery-{component}@{PROJECT}.iam.gserviceaccount.com"


def changes_of(cloud: Cloud) -> list[list[str]]:
    """The project's changes with their input, without where on this machine the sources were."""
    changes = [[*call["argv"], call["input"]] for call in cloud.calls() if call["changed"]]
    return [[word.replace(str(cloud.folder), "") for word in change] for change in changes]


def granted(state: Mapping[str, Any]) -> dict[str, dict[str, set[str]]]:
    """By member, its roles on each resource."""
    held: dict[str, dict[str, set[str]]] = {}
    for place, bindings in state["policies"].items():
        for each in bindings:
            for name in each["members"]:
                held.setdefault(name, {}).setdefault(place, set()).add(each["role"].rpartition("/")[2])
    return held
