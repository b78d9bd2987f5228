"""The console: who is let in, by IAM or by Identity-Aware Proxy; and what people were granted is taken back."""

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import HOST, PROJECT, deploy, granted

NAME = "sheettobigquery-console"
SERVICE, PROTECTED = f"run services/{NAME}", f"iap web/{NAME}"
IAP = (*HOST, "--console-access=iap")
AGENT = "serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"
ANN = "user:ann@example.com"
NOBODY_ELSE = {"user:owner@example.com": {f"projects/{PROJECT}": {"owner"}}}


def is_behind_iap(cloud: Cloud) -> bool:
    return bool(cloud.resources("run services")[NAME]["metadata"].get("annotations"))


def audience(cloud: Cloud) -> str | None:
    return cloud.resources("functions")[NAME]["serviceConfig"]["environmentVariables"].get("CONSOLE_AUDIENCE")


def commands(cloud: Cloud) -> list[str]:
    return [" ".join(change[1:5]) for change in cloud.changes()]


def test_behind_iap_the_console_hears_of_google_alone_and_knows_for_whom_it_signs(deployed: Cloud) -> None:
    assert deploy(deployed, *IAP).returncode == 0
    assert is_behind_iap(deployed)
    assert granted(deployed.state)[AGENT] == {SERVICE: {"run.invoker"}}
    assert audience(deployed) == f"/projects/123456789012/locations/us-central1/services/{NAME}"
    deployed.forget_calls()
    assert deploy(deployed, *IAP).returncode == 0
    assert deployed.changes() == []


def test_the_console_alone_is_told_who_may_act_and_what_a_promotion_needs(deployed: Cloud) -> None:
    told = {"CONSOLE_EDITORS": "ann@example.com,*@team.example.com", "MIGRATION_MATCHES": "5"}
    flags = [f"--{name.lower().replace('_', '-')}={value}" for name, value in told.items()]
    assert deploy(deployed, *HOST, *flags).returncode == 0
    for name, function in deployed.resources("functions").items():
        variables = function["serviceConfig"]["environmentVariables"]
        assert {each: variables.get(each) for each in told} == (told if name == NAME else dict.fromkeys(told))


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([], f"sheettobigquery-job@{PROJECT}.iam.gserviceaccount.com"),
        (["--share-with=older@x.iam.gserviceaccount.com"], "older@x.iam.gserviceaccount.com"),
        # As whose account the job then reads is the key's secret.
        (["--legacy-key-secret=older-key"], None),
        (["--legacy-key-secret=older-key", "--share-with=older@x.example"], "older@x.example"),
    ],
)
def test_the_console_alone_is_told_whom_sheets_are_shared_with(
    flags: list[str], told: str | None, deployed: Cloud
) -> None:
    deployed.add_secrets("older-key")
    done = deploy(deployed, *HOST, *flags)
    assert done.returncode == 0, done.stderr
    for name, function in deployed.resources("functions").items():
        shared_with = function["serviceConfig"]["environmentVariables"].get("SHARE_WITH")
        assert shared_with == (told if name == NAME else None)


def test_iap_is_switched_on_again_where_a_new_version_of_the_function_lost_it(deployed: Cloud) -> None:
    assert deploy(deployed, *IAP).returncode == 0
    deployed.forget_calls()
    assert deploy(deployed, *IAP, "--max-running=7").returncode == 0
    assert is_behind_iap(deployed)
    assert commands(deployed)[-1] == "beta run services update"


def test_who_goes_back_to_iam_switches_iap_off_before_the_function_believes_iam(deployed: Cloud) -> None:
    """Else a caller could tell it any address, in the header that IAM no more checks."""
    assert deploy(deployed, *IAP).returncode == 0
    deployed.forget_calls()
    done = deploy(deployed, *HOST)
    assert done.returncode == 0, done.stderr
    assert commands(deployed) == [
        "beta run services update",
        f"functions deploy {NAME} --source={deployed.folder}/build/console",
    ]
    assert (is_behind_iap(deployed), audience(deployed)) == (False, None)
    assert AGENT not in granted(deployed.state)
    assert "Who may see the console by IAM has to be named" in done.stderr


@pytest.mark.parametrize(
    ("flags", "place", "role", "said"),
    [
        (HOST, SERVICE, "run.invoker", f"gcloud run services proxy {NAME} --region=us-central1"),
        (IAP, PROTECTED, "iap.httpsResourceAccessor", f"It is opened at https://{NAME}-"),
    ],
    ids=["iam", "iap"],
)
def test_a_viewer_may_open_the_console_and_nothing_else(
    deployed: Cloud, flags: tuple[str, ...], place: str, role: str, said: str
) -> None:
    assert deploy(deployed, *flags).returncode == 0
    for _ in range(2):
        deployed.forget_calls()
        done = deploy(deployed, *flags[len(HOST) :], "viewer", ANN)
        assert done.returncode == 0, done.stderr
        assert said in done.stderr
    assert deployed.changes() == []
    assert granted(deployed.state)[ANN] == {place: {role}}
    # What is noted of it is no change of the job's settings.
    assert deploy(deployed, *flags).returncode == 0
    assert deployed.changes() == []


def test_a_deployment_without_a_console_makes_none_and_leaves_the_one_that_is_there(
    cloud: Cloud, deployed: Cloud
) -> None:
    deployed.forget_calls()
    assert deploy(deployed, *HOST, "--console=no", "--max-running=7").returncode == 0
    assert not any(NAME in change for change in deployed.changes())
    cloud.write(Cloud.empty(PROJECT))
    assert deploy(cloud, *HOST, "--console=no").returncode == 0
    assert NAME not in cloud.resources("functions")
    assert not any("console" in email for email in cloud.resources("iam service-accounts"))


@pytest.fixture
def staffed(deployed: Cloud) -> Cloud:
    """With a dataset, an instance, and Ann, who saw the console by IAP and moved configs; she had a role before."""
    state = deployed.state
    state["apis"] = sorted([*state["apis"], "sqladmin.googleapis.com"])
    datasets = {f"{PROJECT}:{name}": {"id": name, "location": "EU", "access": []} for name in ("sales", "sales_shadow")}
    datasets[f"{PROJECT}:sales"]["access"] = [{"role": "WRITER", "userByEmail": "ann@example.com"}]
    state["resources"]["datasets"] = datasets
    flags = [{"name": "cloudsql.iam_authentication", "value": "on"}]
    state["resources"]["sql instances"] = {"syncs": {"name": "syncs", "settings": {"databaseFlags": flags}}}
    state["policies"][f"projects/{PROJECT}"].append({"role": "roles/bigquery.user", "members": [ANN]})
    deployed.write(state)
    cloud_sql = f"--cloud-sql-instance={PROJECT}:us-central1:syncs"
    for words in (
        IAP,
        ("viewer", ANN, "--console-access=iap"),
        ("migrator", ANN, cloud_sql, f"--datasets={PROJECT}.sales"),
    ):
        done = deploy(deployed, *words)
        assert done.returncode == 0, done.stderr
    deployed.forget_calls()
    return deployed


def test_destroy_takes_from_people_what_they_were_granted_and_not_what_they_had(staffed: Cloud) -> None:
    held = granted(staffed.state)[ANN]
    assert held[PROTECTED] == {"iap.httpsResourceAccessor"}
    assert {"cloudsql.client", "bigquery.user"} < held[f"projects/{PROJECT}"]
    done = deploy(staffed, "destroy", "--yes")
    assert done.returncode == 0, done.stderr
    assert granted(staffed.state) == NOBODY_ELSE | {ANN: {f"projects/{PROJECT}": {"bigquery.user"}}}
    accesses = {name: each["access"] for name, each in staffed.resources("datasets").items()}
    assert accesses == {
        f"{PROJECT}:sales": [{"role": "WRITER", "userByEmail": "ann@example.com"}],
        f"{PROJECT}:sales_shadow": [],
    }


def test_what_is_granted_is_noted_before_and_taken_back_wherever_it_was_cut_off(staffed: Cloud) -> None:
    before = staffed.state
    for after in (1, 3, 6):
        staffed.write(before)
        staffed.cut_power(after)
        assert deploy(staffed, "migrator", "group:team@example.com", f"--datasets={PROJECT}.sales").returncode == 1
        staffed.cut_power(after)
        assert deploy(staffed, "destroy", "--yes").returncode == 1
        staffed.restore_power()
        done = deploy(staffed, "destroy", "--yes")
        assert done.returncode == 0, done.stderr
        assert granted(staffed.state) == NOBODY_ELSE | {ANN: {f"projects/{PROJECT}": {"bigquery.user"}}}


def test_the_plan_of_destroy_says_that_people_lose_what_they_were_granted(cloud: Cloud) -> None:
    done = deploy(cloud, "destroy", "--dry-run")
    assert "whom migrator and viewer let in loses what that granted" in done.stderr
