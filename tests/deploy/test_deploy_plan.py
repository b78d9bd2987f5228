"""What deploy.sh would do: every command of every part passes gcloud's linter, and the whole keeps its promises."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.arguments import helper_parser
from tests.deploy.cloud import Cloud
from tests.deploy.deployment import (
    CLOUD_SQL,
    HOST,
    MORE,
    PLACE,
    deploy,
    flags_of,
    gcloud_commands,
    plan,
)
from tests.deploy.linter import find_gcloud_here, gcloud_environment, lint
from tests.deploy.serving import served

# What only names something: a component, a metric, a topic, a role, the mark of a version. The linter looks at no name.
_NAME = re.compile(
    r"(sheettobigquery[-.]|sheet_to_bigquery_|sheet-to-bigquery-|digest=|source=|build/|entry-point=|member=|role="
    r"|project=|alertPolicies/|secrets add-iam-policy-binding )[\w@.:/-]+"
    r"|(--(?:description|title|log-filter|filter|display-name)=).*?(?= --|$)"
)
PORTAL = ("--portal-topic=older-syncs",)
IAP = ("--console-access=iap",)
PLANS = (
    (),
    (*HOST, *MORE),
    (
        *CLOUD_SQL,
        "--create-instance=yes",
        "--schedule=0 */4 * * *",
        "--alert-channels=projects/p/notificationChannels/1",
    ),
    ("pause",),
    ("resume",),
    ("service-traffic", "0"),
    ("service-traffic", "50"),
    ("service-traffic", "100"),
    ("verify", "--sheet=https://docs.google.com/spreadsheets/d/abc/edit"),
    ("destroy", *CLOUD_SQL[:2], "--postgres-owner=ann@example.com", *MORE),
    (*HOST, *PORTAL),
    ("portal", *PORTAL),
    ("portal", "--back", *PORTAL),
    ("migrator", "user:ann@example.com", *PORTAL, "--datasets=hkd-reporting.sales"),
    ("viewer", "user:ann@example.com"),
    ("viewer", "group:team@example.com", *IAP),
    (*HOST, *IAP),
    ("destroy", *PORTAL, "--datasets=hkd-reporting.sales"),
)


@pytest.fixture(scope="module")
def plans() -> list[str]:
    """The lines of every plan, each once."""
    return list(dict.fromkeys(line for arguments in PLANS for line in plan(*arguments)))


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What was really called, with all that a plan leaves out: looking, updating, and taking away."""
    with served(tmp_path_factory.mktemp("calls") / "cloud") as cloud:
        cloud.add_secrets("slack-token", "webhook", "legacy-key")
        state = cloud.state
        state["resources"]["datasets"] = {
            f"hkd-reporting:{name}": {"id": name, "location": "EU", "access": []} for name in ("sales", "sales_shadow")
        }
        cloud.write(state)
        more = [each for each in MORE if "project" not in each]
        deployments: tuple[tuple[str, ...], ...] = (
            (*CLOUD_SQL, "--create-instance=yes"),
            (*CLOUD_SQL, *more, *IAP),
            ("viewer", "user:ann@example.com", *IAP),
            ("functions", *CLOUD_SQL, *more),
            ("viewer", "user:ann@example.com"),
            ("migrator", "user:ann@example.com", *CLOUD_SQL, "--datasets=hkd-reporting.sales"),
            ("pause", *HOST),
            ("resume", *HOST),
            ("service-traffic", "100", "--service=sheettobigquery-launch", *HOST),
            ("destroy", "--yes", *CLOUD_SQL, *more),
            HOST,
        )
        for number, arguments in enumerate(deployments):
            done = deploy(cloud, *arguments, slack_accessToken="xoxb-1")
            assert done.returncode == 0, (arguments, done.stderr)
            if number == 0:
                spoil(cloud)
        yield list(dict.fromkeys(shlex.join(call["argv"]) for call in cloud.calls()))


def spoil(cloud: Cloud) -> None:
    """Change everything that can be updated in place by hand."""
    state = cloud.state
    for kind, field in (
        ("pubsub subscriptions", "messageRetentionDuration"),
        ("logging sinks", "filter"),
        ("logging metrics", "filter"),
        ("scheduler jobs", "schedule"),
    ):
        for each in state["resources"][kind].values():
            each[field] = "600s"
    for each in state["resources"]["iam roles"].values():
        each["includedPermissions"] = []
    for kind in ("monitoring policies", "monitoring dashboards"):
        for each in state["resources"][kind].values():
            each["userLabels" if "policies" in kind else "labels"] = {}
    cloud.write(state)


def test_every_command_of_every_part_passes_gclouds_own_linter(plans: list[str], calls: list[str]) -> None:
    commands = [command for line in plans for command in gcloud_commands(line)]
    commands += [command for command in calls if command.startswith("gcloud ")]
    # One of those that differ in nothing but the component or the metric that they are for.
    once = {_NAME.sub(r"\1\2x", command): command for command in commands}
    assert len(once) > 70
    print(len(once))
    assert lint(list(once.values())) == []


def test_every_line_of_a_plan_can_be_pasted(plans: list[str]) -> None:
    for line in plans:
        parsed = subprocess.run(["bash", "-n"], input=line, capture_output=True, text=True, check=False)
        assert parsed.returncode == 0, (line, parsed.stderr)
        assert line.startswith(("gcloud ", "printf ", "bq ", "POSTGRES_DB=", "GOOGLE_CLOUD_PROJECT=")), line


def test_a_pasted_plan_makes_what_deploy_makes(tmp_path: Path) -> None:
    """Line by line in a shell, with `$(gcloud …)` asking for what only Google knows."""
    with served(tmp_path / "pasted") as pasted, served(tmp_path / "deployed") as deployed:
        told = ("--alert-email=team@example.com", "--alert-slack-channel=#100%_dev")
        lines = "\n".join(plan(*HOST, *told))
        # The plan names the staged folders, which ./deploy.sh stage makes.
        done = deploy(deployed, *HOST, *told, slack_accessToken="xoxb-a&b|c")
        assert done.returncode == 0, done.stderr
        script = f"set -e\nln -s {deployed.folder}/build build\n{lines}"
        environment = pasted.environment | {"POSTGRES_PASSWORD": "the password", "slack_accessToken": "xoxb-a&b|c"}
        run = subprocess.run(
            ["bash", "-c", script], env=environment, cwd=pasted.folder, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        assert pasted.state == deployed.state


def test_a_plan_is_made_without_gcloud_login_or_network_and_touches_nothing(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("gcloud", "bq", "curl", "python3"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\ntouch $0.called\n")
        (tmp_path / "bin" / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "BUILD_FOLDER": str(tmp_path / "build")}
    for arguments in PLANS:
        done = subprocess.run(
            [str(Path(__file__).parents[2] / "deploy.sh"), *PLACE, "--dry-run", *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["bin", "bq", "curl", "gcloud", "python3"]


def test_every_command_names_the_project(plans: list[str], calls: list[str]) -> None:
    """So that what is pasted cannot strike the project that somebody's gcloud happens to have."""
    for command in (*(each for line in plans for each in gcloud_commands(line)), *calls):
        if command.startswith("gcloud ") and command.split()[1] not in ("auth", "billing"):
            assert flags_of(command).get("project") or command.startswith("gcloud projects "), command


def test_nothing_is_open_to_everybody(plans: list[str]) -> None:
    for line in plans:
        assert "--allow-unauthenticated" not in line.split(), line
        assert "allUsers" not in line, line
        assert "allAuthenticatedUsers" not in line, line
    deployed = [line for line in plans if line.startswith("gcloud functions deploy")]
    assert len(deployed) >= 3
    for line in deployed:
        assert "--no-allow-unauthenticated" in line.split()
        outside = flags_of(line)["entry-point"] == "console"
        assert flags_of(line)["ingress-settings"] == ("all" if outside else "internal-only")


@pytest.mark.parametrize(
    "arguments", [HOST, (*HOST, *PORTAL), (*HOST, "--postgres-connections=200", "--launch-instances=20")]
)
def test_the_functions_cannot_open_more_connections_than_there_are(arguments: tuple[str, ...]) -> None:
    deployed = [flags_of(line) for line in plan(*arguments) if line.startswith("gcloud functions deploy")]
    most = sum(int(flags["max-instances"]) * int(flags["concurrency"]) for flags in deployed)
    limit = next((int(each.partition("=")[2]) for each in arguments if "connections" in each), 50)
    assert 0 < most < limit


def test_a_dispatch_that_comes_once_a_day_is_not_missed_every_day() -> None:
    daily = plan("monitoring", "--schedule=0 3 * * *", "--dispatch-every-minutes=1440")
    halves = plan("monitoring", "--schedule=0 */12 * * *")
    assert not any("nothing was dispatched" in line for line in daily)
    assert any('"duration": "84600s"' in line for line in halves)


def test_the_product_commands_of_a_plan_are_understood(plans: list[str]) -> None:
    parser = helper_parser()
    seen = set()
    for line in plans:
        _, helper, arguments = line.partition(" python job_helper.py ")
        if helper and line.startswith("GOOGLE_CLOUD_PROJECT="):
            seen.add(parser.parse_args(shlex.split(arguments)).command)
    assert seen == {"add", "doctor", "run"}


def test_bq_understands_its_commands(plans: list[str], tmp_path: Path) -> None:
    """The real bq has no linter: it reads its flags, then fails for want of a BigQuery."""
    bq = find_gcloud_here().with_name("bq")
    commands = [shlex.split(line)[1:] for line in plans if line.startswith("bq ")]
    shapes = {(words[0], tuple(sorted(flag.partition("=")[0] for flag in words[1:-1]))): words for words in commands}
    assert {name for name, _ in shapes} == {"mk", "query"}
    for words in shapes.values():
        done = subprocess.run(
            [bq, "--api=http://127.0.0.1:9", "--oauth_access_token=x", *words],
            env=gcloud_environment(tmp_path) | {"CLOUDSDK_CORE_PROJECT": "p"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        told = done.stdout + done.stderr
        assert "Unknown command line flag" not in told, told
        assert "FATAL Flags" not in told, told
        assert "127.0.0.1" in told or "connect" in told.lower(), told
