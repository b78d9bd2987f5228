"""What deploy.sh is told: flags, the env file, and what is wrong with them, said before the first change."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import CLOUD_SQL, DEPLOY, HOST, PLACE, REPOSITORY, deploy, flags_of, plan
from tests.guide.blocks import read_blocks

GUIDE_FILE = """\
# The guide's file.
POSTGRES_HOST: 'db.example.com'
POSTGRES_DB: "syncs"
POSTGRES_USER: sync   # who

POSTGRES_PORT: '5433'
"""


def environment_of(lines: list[str], function: str) -> dict[str, str]:
    """The variables that a plan gives a function."""
    [line] = [each for each in lines if each.startswith(f"gcloud functions deploy {function} ")]
    text = flags_of(line)["set-env-vars"]
    assert text.startswith("^|^")
    return dict(pair.split("=", 1) for pair in text[3:].split("|"))


def test_the_guides_env_file_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "orchestrator-env.yaml"
    file.write_text(GUIDE_FILE)
    variables = environment_of(plan(f"--env-file={file}"), "sheettobigquery-orchestrator")
    assert variables["POSTGRES_HOST"] == "db.example.com"
    assert variables["POSTGRES_DB"] == "syncs"
    assert variables["POSTGRES_USER"] == "sync"
    assert variables["POSTGRES_PORT"] == "5433"


def test_a_flag_goes_before_the_env_file_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "settings").write_text("POSTGRES_DB=file\nMAX_RUNNING=5\nexport REGION=europe-west1\n")
    lines = plan("--postgres-db=flag", f"--env-file={tmp_path}/settings")
    variables = environment_of(lines, "sheettobigquery-launch")
    assert (variables["POSTGRES_DB"], variables["MAX_RUNNING"]) == ("flag", "5")
    assert variables["REGION"] == "us-central1"


def test_the_callers_environment_is_not_deployed(cloud: Cloud) -> None:
    local = {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_DB": "local", "PUBSUB_EMULATOR_HOST": "127.0.0.1:1", "REGION": "x"}
    assert deploy(cloud, *HOST, **local).returncode == 0
    config = cloud.resources("functions")["sheettobigquery-launch"]["serviceConfig"]
    assert config["environmentVariables"]["POSTGRES_HOST"] == "db.example.com"
    assert "PUBSUB_EMULATOR_HOST" not in config["environmentVariables"]


def test_names_that_differ_are_used_everywhere() -> None:
    names = {
        "job-name": "my-job",
        "dispatch-function": "my-dispatch",
        "request-topic": "my-requests",
        "completion-topic": "my-completions",
        "dead-letter-topic": "my-dead-letters",
        "identity-prefix": "mine",
        "schedule-name": "my-schedule",
        "sweep-schedule-name": "my-sweep",
        "repository": "my-repository",
        "sink": "my-sink",
        "password-secret": "my-secret",
        "success-metric": "my_success",
        "failure-metric": "my_failure",
        "launch-function": "my-launch",
        "complete-function": "my-complete",
        "forward-function": "my-forward",
        "console-function": "my-console",
        "role-prefix": "my_roles",
    }
    told = "\n".join(plan(*HOST, *(f"--{flag}={name}" for flag, name in names.items())))
    assert all(name in told for name in names.values())
    told = told.replace("github-service-sheettobigquery", "")
    for older in ("sheettobigquery-", "sheet-to-bigquery-requests", "sheet-to-bigquery-completions", "orchestrator-s"):
        assert older not in told, older


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--project=P"], "--project=P: is not a project's id"),
        (["--project=hkd-reporting'; rm -rf /"], "is not a project's id"),
        (["--region=us"], "--region=us: is not a region"),
        (["--region=us-cental1"], "--region=us-cental1: is not a region, like us-central1"),
        (["--frequency=2"], "--frequency: there is no setting FREQUENCY"),
        (["--postgres-password=secret"], "read -rs POSTGRES_PASSWORD && export POSTGRES_PASSWORD"),
        (["--postgres-owner-password=secret"], "read -rs POSTGRES_OWNER_PASSWORD && export POSTGRES_OWNER_PASSWORD"),
        (["--postgres-hots=h"], "there is no setting POSTGRES_HOTS; did you mean --postgres-host?"),
        (["--slack-accessToken=x"], "slack_accessToken is a secret"),
        (["-v"], "-v: is not understood"),
        (["--project"], "--project: is not understood"),
        (["dance"], "unknown command 'dance'"),
        (["service-traffic"], "is not a percentage"),
        (["service-traffic", "101"], "is not a percentage"),
        (["--env-file=/nowhere/file"], "/nowhere/file: there is no such file"),
        (["--postgres-sslmode=disable"], "a database is not reached without TLS"),
        (["--postgres-port=none"], "POSTGRES_PORT=none: is not allowed; it has to be a whole number"),
        (["--cloud-sql-instance=syncs"], "it has to be project:region:instance"),
        (["--cloud-sql-instance=hkd-reporting:us-central1:syncs"], "both given"),
        (["--job-name=Job"], "JOB_NAME=Job: is not allowed"),
        ([f"--launch-function={'x' * 50}"], "at most 49"),
        (["--identity-prefix=a-prefix-too-long"], "3 to 16"),
        (["--request-topic=google"], "must not begin with goog"),
        (["--schedule=hourly"], "five fields of cron"),
        (["--schedule=0 9 1 * *"], "DISPATCH_EVERY_MINUTES"),
        (["--dispatch-every-minutes=PATH[$(touch /tmp/x)]"], "DISPATCH_EVERY_MINUTES=PATH[$(touch /tmp/x)]: is not"),
        (["--launch-instances=40"], "could open 190 connections"),
        (["--launch-instances=40"], "lower one of DISPATCH_INSTANCES 2, LAUNCH_INSTANCES 40, COMPLETE_INSTANCES 3,"),
        (["--console-instances=2", "--portal-topic=x-y"], "FORWARD_INSTANCES 2, CONSOLE_INSTANCES 2, or CONCURRENCY"),
        (["--console=perhaps"], "CONSOLE=perhaps: is not allowed; it has to be yes or no"),
        (["--console-access=public"], "CONSOLE_ACCESS=public: is not allowed; it has to be iam or iap"),
        (["--console-editors=ann"], "CONSOLE_EDITORS=ann: is not allowed; it has to be addresses or *@example.com"),
        (["--console-editors=a@x.com, b@x.com"], "with commas between"),
        (["--share-with=the job"], "SHARE_WITH=the job: is not allowed; it has to be a service account's address"),
        (["viewer", "ann"], "viewer ann: is not user:…"),
        (["viewer", "allUsers"], "viewer allUsers: is not user:…"),
        (["viewer", "user:ann@example.com", "--console=no"], "CONSOLE is no, and so there is no page to see"),
        (["viewer", "user:ann@example.com"], "there is no function sheettobigquery-console in us-central1"),
        (["--concurrency=0"], "CONCURRENCY=0"),
        (["--alert-email=nobody"], "ALERT_EMAIL=nobody: is not an address"),
        (["--alert-channels=slack"], "slack is not projects/PROJECT/notificationChannels/NUMBER"),
        (["--slack-channel=a|b"], "SLACK_CHANNEL has a line break, a tab or a '|' in it"),
        (["--slack-channel=a\nb"], "has a line break"),
        (["--create-instance=maybe"], "yes or no"),
        (["--datasets=sales"], "DATASETS: sales is not project.dataset"),
        (["--alert-slack-channel=#dev"], "slack_accessToken"),
    ],
)
def test_what_is_wrong_is_said_with_its_name_before_anything_is_called(
    cloud: Cloud, arguments: list[str], said: str
) -> None:
    done = deploy(cloud, *HOST, *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert [call for call in cloud.calls() if call["changed"]] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("POSTGRES_DB: 'x'\nNOSUCH: 'y'\n", "line 2: there is no setting NOSUCH"),
        ("postgres_host: 'h'", "there is no setting postgres_host; did you mean POSTGRES_HOST?"),
        ("postgres_password: 'hunter2'", "did you mean POSTGRES_PASSWORD?"),
        ("POSTGRES_HSOT: 'h'", "did you mean POSTGRES_HOST?"),
        ("POSTGRES_HAST: 'h'", "did you mean POSTGRES_HOST?"),
        ("POSTGRES_HOSTS: 'h'", "did you mean POSTGRES_HOST?"),
        ("POSTGRES_PRT: '1'", "did you mean POSTGRES_PORT?"),
        ("POSTGRES_PLACE: 'h'", "there is no setting POSTGRES_PLACE; ./deploy.sh help settings lists them"),
        ("slack_accessToken: 'hunter2'", "put it into Secret Manager and give its name as SLACK_SECRET"),
        ("NOTIFY_WEBHOOK_URL: 'hunter2'", "put it into Secret Manager and give its name as WEBHOOK_SECRET"),
        ("google_cloud_hkdreporting: 'hunter2'", "put it into Secret Manager and give its name as LEGACY_KEY_SECRET"),
        ("just a sentence", "line 1: is not NAME: 'value'"),
        ("POSTGRES_PASSWORD 'hunter2'", "line 1: is not NAME: 'value'"),
    ],
)
def test_a_wrong_line_of_the_env_file_is_told_by_its_number_and_not_by_its_text(
    tmp_path: Path, cloud: Cloud, text: str, said: str
) -> None:
    (tmp_path / "env.yaml").write_text(text)
    done = deploy(cloud, f"--env-file={tmp_path}/env.yaml")
    assert done.returncode == 2
    assert said in done.stderr
    assert "hunter2" not in done.stderr


def test_all_that_is_missing_of_the_database_is_named_at_once(cloud: Cloud) -> None:
    done = deploy(cloud)
    assert done.returncode == 2
    assert "missing: --postgres-host=…, --postgres-db=…, --postgres-user=…;" in done.stderr
    assert "CLOUD_SQL_INSTANCE in place of a host" in done.stderr
    done = deploy(cloud, "--cloud-sql-instance=hkd-reporting:us-central1:syncs")
    assert done.returncode == 2
    assert "missing: --postgres-db=…; give each as a flag or in the env file\n" in done.stderr


def test_a_place_that_is_missing_is_told_with_an_example(cloud: Cloud) -> None:
    for flag, example in (("--project", "your-project"), ("--region", "us-central1")):
        given = [each for each in PLACE if not each.startswith(flag)]
        done = subprocess.run(
            [DEPLOY, *given, *HOST], env=cloud.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert f"{flag} is missing: give it as {flag}={example}" in done.stderr


def test_the_guides_own_examples_are_deployed_nowhere_and_refused_before_the_login(
    tmp_path: Path, cloud: Cloud
) -> None:
    [block] = [each for each in read_blocks("MIGRATION_GUIDE.md") if each.file == "orchestrator-env.yaml"]
    (tmp_path / block.file).write_text(block.text)
    cloud.refuse_login()
    told = refused(cloud, f"--env-file={tmp_path}/{block.file}")
    assert "put your own in place of POSTGRES_HOST, POSTGRES_DB, POSTGRES_USER" in told
    assert "POSTGRES_DB\n" in refused(cloud, *HOST, "--postgres-db=your-database")
    assert environment_of(plan(f"--env-file={tmp_path}/{block.file}"), "sheettobigquery-launch")["POSTGRES_HOST"]


def test_help_lists_every_setting_with_its_default_and_its_meaning() -> None:
    done = subprocess.run([DEPLOY, "help", "settings"], capture_output=True, text=True, check=True)
    listed = dict(re.findall(r"^  ([A-Z_]+) +('.*?'|\S+) +\S", done.stdout, re.MULTILINE))
    program = 'source "$1" && for name in "${!setting[@]}"; do printf "%s=%s\n" "$name" "${setting[$name]}"; done'
    arguments = ["bash", "-c", program, "bash", str(REPOSITORY / "deploy" / "settings.sh")]
    known = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert {name: default.strip("'") for name, default in listed.items()} == dict(
        line.split("=", 1) for line in known.splitlines()
    )


@pytest.mark.parametrize("words", [["--migrate=yes"], ["--migrate=yes", "database"], ["--migrate=no", "verify"]])
def test_who_owns_the_tables_is_asked_before_anything_is_made(cloud: Cloud, words: list[str]) -> None:
    done = deploy(cloud, *CLOUD_SQL, "--create-instance=yes", *words)
    assert done.returncode == 2, done.stderr
    assert "POSTGRES_OWNER is missing" in done.stderr
    assert cloud.calls() == []


def test_without_anything_the_usage_is_told() -> None:
    done = subprocess.run([DEPLOY], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "./deploy.sh --project=P --region=R" in done.stderr


# -- what only Google knows, asked before the first change -----------------------------------------------------------


def refused(cloud: Cloud, *arguments: str, **environment: str) -> str:
    done = deploy(cloud, *arguments, **environment)
    assert done.returncode == 2, done.stderr
    assert cloud.changes() == []
    return done.stderr


def test_a_project_that_is_not_there_is_told(cloud: Cloud) -> None:
    assert "there is no such project, or your account may not see it" in refused(
        cloud, *HOST, "--project=no-such-project"
    )


def test_a_project_that_is_being_deleted_is_told(cloud: Cloud) -> None:
    state = cloud.state
    state["project"]["lifecycleState"] = "DELETE_REQUESTED"
    cloud.write(state)
    assert "DELETE_REQUESTED" in refused(cloud, *HOST)


def test_a_project_without_billing_is_told_how_to_get_it(cloud: Cloud) -> None:
    cloud.write(cloud.state | {"billing": False})
    assert "gcloud billing projects link hkd-reporting" in refused(cloud, *HOST)


def test_a_region_without_cloud_run_is_told_with_those_that_have_it(cloud: Cloud) -> None:
    cloud.write(cloud.state | {"apis": ["run.googleapis.com"]})
    told = refused(cloud, *HOST, "--region=mars-north1")
    assert "--region=mars-north1: Cloud Run is not there; it is in europe-west1" in told


def test_a_machine_without_gcloud_is_told_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [DEPLOY, *PLACE, *HOST],
        env={"PATH": path_without_gcloud(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "gcloud is missing: install the Google Cloud CLI" in done.stderr


def path_without_gcloud(folder: Path) -> str:
    """A PATH with what a Debian has, and no SDK."""
    for name in ("bash", "env", "sed", "dirname", "mktemp", "rm", "sha256sum", "cat", "find", "sort", "xargs"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    return str(folder)


def test_somebody_who_is_not_logged_in_is_told_to_log_in(cloud: Cloud) -> None:
    cloud.refuse_login()
    assert "run gcloud auth login" in refused(cloud, *HOST)


def test_a_secret_that_is_not_there_is_told_with_how_to_make_it(cloud: Cloud) -> None:
    told = refused(cloud, *HOST, "--legacy-key-secret=the-key")
    assert "LEGACY_KEY_SECRET=the-key: Secret Manager has no such secret" in told
    assert "gcloud secrets create the-key --data-file=FILE" in told


def test_a_password_that_is_nowhere_is_asked_for(cloud: Cloud) -> None:
    assert "give it once in the environment, as POSTGRES_PASSWORD" in refused(cloud, *HOST, POSTGRES_PASSWORD="")


def test_an_instance_is_made_only_when_that_is_asked_for(cloud: Cloud) -> None:
    done = deploy(cloud, *CLOUD_SQL)
    assert done.returncode == 2
    assert "or have it made by --create-instance=yes" in done.stderr
    assert cloud.resources("sql instances") == {}


def test_an_instance_that_takes_no_iam_logins_is_left_as_it_is(cloud: Cloud) -> None:
    assert deploy(cloud, *CLOUD_SQL, "--create-instance=yes").returncode == 0
    state = cloud.state
    state["resources"]["sql instances"]["syncs"]["settings"]["databaseFlags"] = [
        {"name": "max_connections", "value": "9"}
    ]
    cloud.write(state)
    cloud.forget_calls()
    assert "cloudsql.iam_authentication=on" in refused(cloud, *CLOUD_SQL)


def test_a_service_with_one_revision_cannot_lose_a_part_of_its_traffic(cloud: Cloud) -> None:
    assert deploy(cloud, *HOST).returncode == 0
    cloud.forget_calls()
    told = refused(cloud, *HOST, "--service=sheettobigquery-launch", "service-traffic", "50")
    assert "nothing could take the other 50 %" in told
    assert "there is no service nowhere" in refused(cloud, *HOST, "--service=nowhere", "service-traffic", "50")


def test_traffic_goes_down_and_comes_back(cloud: Cloud) -> None:
    assert deploy(cloud, *HOST).returncode == 0
    state = cloud.state
    service = state["resources"]["run services"]["sheettobigquery-launch"]["status"]
    service["traffic"] = [{"latestRevision": True, "percent": 100}, {"revisionName": "older", "percent": 0}]
    cloud.write(state)
    done = deploy(cloud, *HOST, "--service=sheettobigquery-launch", "service-traffic", "20")
    assert done.returncode == 0, done.stderr
    assert "service-traffic 100" in done.stderr
    shares = cloud.resources("run services")["sheettobigquery-launch"]["status"]["traffic"]
    assert [each["percent"] for each in shares] == [20, 80]
    assert deploy(cloud, *HOST, "--service=sheettobigquery-launch", "service-traffic", "100").returncode == 0
    shares = cloud.resources("run services")["sheettobigquery-launch"]["status"]["traffic"]
    assert shares == [{"latestRevision": True, "percent": 100}]
