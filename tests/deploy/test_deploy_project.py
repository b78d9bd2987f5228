"""deploy.sh in a played project: from empty to running, again, from every half-made state, and back to empty."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import CLOUD_SQL, HOST, PROJECT, deploy
from tests.deploy.serving import served

AGENT = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
SINK_WRITER = "serviceAccount:service-123456789012@gcp-sa-logging.iam.gserviceaccount.com"
TOPICS = ["sheet-to-bigquery-completions", "sheet-to-bigquery-dead-letters", "sheet-to-bigquery-requests"]


def member(component: str) -> str:
    return f"serviceAccount:sheettobigquery-{component}@{PROJECT}.iam.gserviceaccount.com"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with served(tmp_path / "cloud") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The state of a project after one undisturbed deployment; `changes` are its commands."""
    with served(tmp_path_factory.mktemp("finished") / "cloud") as cloud:
        done = deploy(cloud, *HOST)
        assert done.returncode == 0, done.stderr
        return {**cloud.state, "changes": changes_of(cloud)}


@pytest.fixture
def deployed(cloud: Cloud, finished: dict[str, Any]) -> Cloud:
    """A project of the test's own in that state."""
    cloud.write({key: value for key, value in finished.items() if key != "changes"})
    return cloud


def changes_of(cloud: Cloud) -> list[list[str]]:
    """The project's changes with their input, without where on this machine the sources were."""
    changes = [[*call["argv"], call["input"]] for call in cloud.calls() if call["changed"]]
    return [[word.replace(str(cloud.folder), "") for word in change] for change in changes]


def granted(state: dict[str, Any]) -> dict[str, dict[str, set[str]]]:
    """By member, its roles on each resource."""
    held: dict[str, dict[str, set[str]]] = {}
    for place, bindings in state["policies"].items():
        for each in bindings:
            for name in each["members"]:
                held.setdefault(name, {}).setdefault(place, set()).add(each["role"].rpartition("/")[2])
    return held


# -- from empty to running -----------------------------------------------------------------------------------------


def test_every_identity_may_do_what_its_component_does_and_nothing_else(finished: dict[str, Any]) -> None:
    requests, completions = "pubsub topics/sheet-to-bigquery-requests", "pubsub topics/sheet-to-bigquery-completions"
    dead_letters = "pubsub topics/sheet-to-bigquery-dead-letters"
    project, job, password = f"projects/{PROJECT}", "run jobs/sheettobigquery-job", "secrets/postgres-password"
    settling = {
        requests: {"pubsub.publisher"},
        job: {"sheettobigquery.executions"},
        project: {"sheettobigquery.loads"},
        password: {"secretmanager.secretAccessor"},
    }
    assert granted(finished) == {
        "user:owner@example.com": {project: {"owner"}},
        member("scheduler"): {"run services/sheettobigquery-orchestrator": {"run.invoker"}},
        member("push-launch"): {"run services/sheettobigquery-launch": {"run.invoker"}},
        member("push-complete"): {"run services/sheettobigquery-complete": {"run.invoker"}},
        member("dispatch"): settling,
        member("complete"): settling,
        member("launch"): {
            requests: {"pubsub.publisher"},
            job: {"run.jobsExecutorWithOverrides"},
            password: {"secretmanager.secretAccessor"},
        },
        member("job"): {completions: {"pubsub.publisher"}, project: {"bigquery.jobUser"}},
        member("build"): {
            "artifacts repositories/github-service-sheettobigquery": {"artifactregistry.writer"},
            job: {"run.developer"},
            f"iam service-accounts/sheettobigquery-job@{PROJECT}.iam.gserviceaccount.com": {"iam.serviceAccountUser"},
            project: {"logging.logWriter", "storage.objectViewer"},
        },
        SINK_WRITER: {completions: {"pubsub.publisher"}},
        AGENT: {
            dead_letters: {"pubsub.publisher"},
            "pubsub subscriptions/sheet-to-bigquery-requests": {"pubsub.subscriber"},
            "pubsub subscriptions/sheet-to-bigquery-completions": {"pubsub.subscriber"},
            f"iam service-accounts/sheettobigquery-push-launch@{PROJECT}.iam.gserviceaccount.com": {
                "iam.serviceAccountTokenCreator"
            },
            f"iam service-accounts/sheettobigquery-push-complete@{PROJECT}.iam.gserviceaccount.com": {
                "iam.serviceAccountTokenCreator"
            },
        },
    }


def test_the_functions_are_internal_and_their_own_identities(finished: dict[str, Any]) -> None:
    functions = finished["resources"]["functions"]
    entries = {name: each["buildConfig"]["entryPoint"] for name, each in functions.items()}
    assert entries == {
        "sheettobigquery-orchestrator": "dispatch",
        "sheettobigquery-launch": "launch",
        "sheettobigquery-complete": "complete",
    }
    for name, entry in entries.items():
        config = functions[name]["serviceConfig"]
        assert config["ingressSettings"] == "ALLOW_INTERNAL_ONLY"
        assert f"serviceAccount:{config['serviceAccountEmail']}" == member(entry)
        assert config["environmentVariables"]["GOOGLE_CLOUD_PROJECT"] == PROJECT


def test_each_function_hears_of_its_topic_by_a_subscription_of_its_own(finished: dict[str, Any]) -> None:
    subscriptions, functions = finished["resources"]["pubsub subscriptions"], finished["resources"]["functions"]
    for topic, function in (("requests", "launch"), ("completions", "complete")):
        each = subscriptions[f"sheet-to-bigquery-{topic}"]
        url = functions[f"sheettobigquery-{function}"]["serviceConfig"]["uri"]
        assert each["topic"] == f"projects/{PROJECT}/topics/sheet-to-bigquery-{topic}"
        assert each["pushConfig"]["pushEndpoint"] == f"{url}/{each['topic']}"
        token = each["pushConfig"]["oidcToken"]
        assert token["audience"] == url
        assert f"serviceAccount:{token['serviceAccountEmail']}" == member(f"push-{function}")
        # Longer than the function may take, or Pub/Sub pushes again meanwhile.
        answer = functions[f"sheettobigquery-{function}"]["serviceConfig"]["timeoutSeconds"]
        assert answer < each["ackDeadlineSeconds"] == 120
        assert each["retryPolicy"] == {"minimumBackoff": "10s", "maximumBackoff": "600s"}


def test_no_dead_letter_is_lost_and_no_subscription_expires(finished: dict[str, Any]) -> None:
    subscriptions = finished["resources"]["pubsub subscriptions"]
    read = {each["topic"] for each in subscriptions.values() if "pushConfig" not in each}
    assert sorted(subscriptions) == TOPICS
    for each in subscriptions.values():
        assert each["expirationPolicy"] == {}
        assert each["messageRetentionDuration"] == "604800s"
        if "pushConfig" in each:
            assert each["deadLetterPolicy"]["deadLetterTopic"] in read


def test_the_job_never_retries_and_has_its_built_image(finished: dict[str, Any]) -> None:
    job = finished["resources"]["run jobs"]["sheettobigquery-job"]["spec"]["template"]["spec"]["template"]["spec"]
    assert job["maxRetries"] == 0
    assert job["timeoutSeconds"] == "1800"
    assert job["containers"][0]["resources"]["limits"] == {"memory": "512Mi", "cpu": "1"}
    place = f"us-central1-docker.pkg.dev/{PROJECT}/github-service-sheettobigquery/sheettobigquery-job@sha256:"
    assert job["containers"][0]["image"].startswith(place)


def test_scheduler_calls_dispatch_and_its_sweep(finished: dict[str, Any]) -> None:
    url = finished["resources"]["functions"]["sheettobigquery-orchestrator"]["serviceConfig"]["uri"]
    jobs = finished["resources"]["scheduler jobs"]
    called = {name: (each["schedule"], each["httpTarget"]["uri"]) for name, each in jobs.items()}
    assert called == {
        "orchestrator-schedule": ("*/5 * * * *", f"{url}/run"),
        "sweep-schedule": ("* * * * *", f"{url}/sweep"),
    }
    for each in jobs.values():
        assert f"serviceAccount:{each['httpTarget']['oidcToken']['serviceAccountEmail']}" == member("scheduler")
        assert each["httpTarget"]["oidcToken"]["audience"] == url


def test_with_cloud_sql_every_function_logs_in_as_itself(cloud: Cloud) -> None:
    done = deploy(cloud, *CLOUD_SQL, "--create-instance=yes")
    assert done.returncode == 0, done.stderr
    assert sorted(cloud.resources("sql users")) == [
        f"syncs/sheettobigquery-{name}@{PROJECT}.iam" for name in ("complete", "dispatch", "launch")
    ]
    for name in ("dispatch", "launch", "complete"):
        roles = granted(cloud.state)[member(name)][f"projects/{PROJECT}"]
        assert {"cloudsql.client", "cloudsql.instanceUser"} <= roles
    conditions = {
        each["role"]: each["condition"]["expression"]
        for each in cloud.state["policies"][f"projects/{PROJECT}"]
        if "cloudsql" in each["role"]
    }
    assert all(f"projects/{PROJECT}/instances/syncs" in condition for condition in conditions.values())
    config = cloud.resources("functions")["sheettobigquery-launch"]["serviceConfig"]
    assert config["environmentVariables"]["POSTGRES_USER"] == f"sheettobigquery-launch@{PROJECT}.iam"
    assert config["secretEnvironmentVariables"] == {}
    cloud.forget_calls()
    assert deploy(cloud, *CLOUD_SQL).returncode == 0
    assert cloud.changes() == []


def test_the_password_goes_to_secret_manager_and_nowhere_else(cloud: Cloud) -> None:
    done = deploy(cloud, *HOST, POSTGRES_PASSWORD="hunter2 & more")
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    with_it = [call for call in cloud.calls() if "hunter2" in call["input"] or "hunter2" in " ".join(call["argv"])]
    assert [call["argv"][:5] for call in with_it] == [["gcloud", "secrets", "versions", "add", "postgres-password"]]
    assert with_it[0]["input"] == "hunter2 & more"


# -- again ---------------------------------------------------------------------------------------------------------


def test_deploying_again_changes_nothing(deployed: Cloud) -> None:
    done = deploy(deployed, *HOST)
    assert done.returncode == 0, done.stderr
    assert deployed.changes() == []
    assert "Nothing to change" in done.stderr


@pytest.mark.parametrize(
    ("kind", "name", "path", "value", "command"),
    [
        ("pubsub subscriptions", TOPICS[2], ["ackDeadlineSeconds"], 10, "pubsub subscriptions update"),
        ("pubsub subscriptions", TOPICS[1], ["expirationPolicy"], {"ttl": "2678400s"}, "pubsub subscriptions update"),
        ("functions", "sheettobigquery-launch", ["serviceConfig", "ingressSettings"], "ALLOW_ALL", "functions deploy"),
        ("functions", "sheettobigquery-launch", ["serviceConfig", "maxInstanceCount"], 100, "functions deploy"),
        ("functions", "sheettobigquery-complete", ["state"], "FAILED", "functions deploy"),
        ("scheduler jobs", "orchestrator-schedule", ["schedule"], "0 9 * * *", "scheduler jobs update http"),
        ("logging metrics", "sheet_to_bigquery_job_failure", ["filter"], "x", "logging metrics update"),
        ("logging sinks", "sheet-to-bigquery-executions", ["filter"], "x", "logging sinks update"),
    ],
)
def test_what_somebody_changed_is_put_right_and_nothing_else_is_touched(
    deployed: Cloud, finished: dict[str, Any], kind: str, name: str, path: list[str], value: Any, command: str
) -> None:
    state = deployed.state
    *way, last = path
    place = state["resources"][kind][name]
    for step in way:
        place = place[step]
    place[last] = value
    deployed.write(state)
    done = deploy(deployed, *HOST)
    assert done.returncode == 0, done.stderr
    assert [" ".join(change[1:]).startswith(f"{command} {name}") for change in deployed.changes()] == [True]
    assert deployed.state == {key: each for key, each in finished.items() if key != "changes"}


def test_what_does_not_touch_the_database_needs_no_settings_of_it(deployed: Cloud) -> None:
    for command in ("pause", "resume", "schedule", "monitoring", "job"):
        done = deploy(deployed, command, POSTGRES_PASSWORD="")
        assert done.returncode == 0, (command, done.stderr)
    assert [change[3] for change in deployed.changes()] == ["pause", "pause", "resume", "resume"]
    assert deploy(deployed, "destroy", "--yes", POSTGRES_PASSWORD="").returncode == 0
    assert deployed.resources("functions") == {}


def test_a_setting_that_changes_changes_only_what_has_it(deployed: Cloud) -> None:
    done = deploy(deployed, *HOST, "--max-running=7")
    assert done.returncode == 0, done.stderr
    assert [change[1:3] for change in deployed.changes()] == [["functions", "deploy"]] * 3


def test_a_paused_schedule_stays_paused_until_it_is_resumed(deployed: Cloud) -> None:
    assert deploy(deployed, *HOST, "pause").returncode == 0
    assert {each["state"] for each in deployed.resources("scheduler jobs").values()} == {"PAUSED"}
    deployed.forget_calls()
    deploy(deployed, *HOST, "pause")
    deploy(deployed, *HOST)
    assert deployed.changes() == []
    assert deploy(deployed, *HOST, "resume").returncode == 0
    assert {each["state"] for each in deployed.resources("scheduler jobs").values()} == {"ENABLED"}


def test_the_parts_one_after_the_other_change_nothing_in_what_the_whole_made(deployed: Cloud) -> None:
    for part in ("database", "job", "functions", "schedule", "monitoring"):
        done = deploy(deployed, *HOST, part)
        assert done.returncode == 0, (part, done.stderr)
    assert deployed.changes() == []


def test_channels_that_people_added_to_an_alert_stay_and_new_ones_come(deployed: Cloud) -> None:
    state = deployed.state
    [name] = [
        key for key, each in state["resources"]["monitoring policies"].items() if "Failures" in each["displayName"]
    ]
    own = f"projects/{PROJECT}/notificationChannels/own"
    state["resources"]["monitoring channels"] = {own: {"name": own, "displayName": "mine", "type": "sms", "labels": {}}}
    state["resources"]["monitoring policies"][name]["notificationChannels"] = [own]
    deployed.write(state)
    for _ in range(2):
        done = deploy(deployed, *HOST, "monitoring", "--alert-email=team@example.com")
        assert done.returncode == 0, done.stderr
    [email] = [key for key in deployed.resources("monitoring channels") if key != own]
    assert deployed.resources("monitoring policies")[name]["notificationChannels"] == [own, email]


# -- half-made -----------------------------------------------------------------------------------------------------


def test_a_deployment_that_stops_after_each_of_its_changes_goes_on_to_the_same_end(
    cloud: Cloud, finished: dict[str, Any]
) -> None:
    """Each call makes one change more and is cut off at the next; all together make what one call makes, in its order.

    Only what leaves no trace before the change after it is made twice: then a call makes two.
    """
    made: list[list[str]] = []
    most, done = 1, None
    while done is None or done.returncode != 0:
        before = cloud.state
        cloud.forget_calls()
        cloud.cut_power(after=most)
        done = deploy(cloud, *HOST)
        assert done.returncode == 0 or "run deploy.sh again" in done.stderr, done.stderr
        made += changes_of(cloud)[: most if done.returncode else None]
        assert most == 1 or cloud.state != before, "it does not go on"
        most = 2 if cloud.state == before else 1
    once = [list(each) for each in dict.fromkeys(map(tuple, made))]
    assert once == finished["changes"]
    twice = [" ".join(each[1:4]) for each in once if made.count(each) > 1]
    assert twice == ["beta services identity", "builds submit --config=cloudbuild-job.yaml"]
    assert cloud.state == {key: each for key, each in finished.items() if key != "changes"}


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_deployment_cut_off_anywhere_is_finished_by_one_more(
    cloud: Cloud, finished: dict[str, Any], late: bool
) -> None:
    chosen = random.Random(f"{late}").sample(range(len(finished["changes"])), 1)
    for after in chosen:
        cloud.write(empty := Cloud.empty(PROJECT))
        cloud.cut_power(after, late)
        assert deploy(cloud, *HOST).returncode == 1
        cloud.restore_power()
        assert cloud.state != empty
        done = deploy(cloud, *HOST)
        assert done.returncode == 0, done.stderr
        assert cloud.state == {key: each for key, each in finished.items() if key != "changes"}, after


@pytest.mark.parametrize("share", range(3))
def test_what_cannot_be_looked_at_stops_the_deployment_before_it_changes_anything(deployed: Cloud, share: int) -> None:
    """Not one look's failure may be taken for a resource that is not there; four of the looks by chance, each time."""
    deploy(deployed, *HOST)
    looks = len(deployed.calls())
    assert looks > 40
    # After the checks, whose failures have words of their own: login, project, billing.
    for number in random.Random(share).sample(range(3, looks), 4):
        deployed.forget_calls()
        deployed.fail_look(number)
        done = deploy(deployed, *HOST)
        assert done.returncode == 1, (number, done.stderr)
        assert "the network is gone" in done.stderr
        assert "run deploy.sh again" in done.stderr
        assert deployed.changes() == [], number


def test_an_identity_that_google_does_not_know_everywhere_yet_is_waited_for(deployed: Cloud) -> None:
    (deployed.bin / "sleep").write_text(f'#!/bin/bash\necho "$1" >>{deployed.folder}/slept\n')
    (deployed.bin / "sleep").chmod(0o755)
    deployed.refuse_once("INVALID_ARGUMENT: Service account new@hkd-reporting.iam does not exist.")
    done = deploy(deployed, *HOST, "pause")
    assert done.returncode == 0, done.stderr
    assert (deployed.folder / "slept").read_text() == "10\n"
    deployed.refuse_once("PERMISSION_DENIED: you may not")
    done = deploy(deployed, *HOST, "resume")
    assert done.returncode == 1
    assert "let your account do that" in done.stderr


@pytest.mark.parametrize(
    ("refusal", "code", "said"),
    [
        ("Service account sheettobigquery-job@hkd-reporting.iam.gserviceaccount.com does not exist.", 0, "not yet"),
        ("Access Denied: you may not grant that", 1, "you may not grant that"),
    ],
)
def test_what_bq_says_is_heard_although_it_says_it_on_standard_output(
    deployed: Cloud, refusal: str, code: int, said: str
) -> None:
    (deployed.bin / "sleep").write_text("#!/bin/bash\n")
    (deployed.bin / "sleep").chmod(0o755)
    state = deployed.state
    state["resources"]["datasets"] = {f"{PROJECT}:sales": {"id": "sales", "access": []}}
    deployed.write(state)
    deployed.refuse_once(refusal)
    # The first change is a grant on the dataset: all else is there.
    done = deploy(deployed, *HOST, "job", f"--datasets={PROJECT}.sales")
    assert done.returncode == code, done.stderr
    assert said in done.stderr


def test_a_role_whose_name_is_still_taken_is_told_with_the_way_out(deployed: Cloud) -> None:
    deployed.refuse_once("FAILED_PRECONDITION: there is an existing role with that role_id in a deleted state.")
    done = deploy(deployed, *HOST, "--role-prefix=another")
    assert done.returncode == 1
    assert "name another --role-prefix" in done.stderr


# -- destroyed -----------------------------------------------------------------------------------------------------


def test_destroy_leaves_what_was_there_before(deployed: Cloud) -> None:
    done = deploy(deployed, *HOST, "destroy", "--yes")
    assert done.returncode == 0, done.stderr
    state = deployed.state
    left = {kind: sorted(each) for kind, each in state["resources"].items() if each and kind != "iam roles"}
    assert left == {}
    # A deleted role can come back for a week.
    assert all(each["deleted"] for each in state["resources"]["iam roles"].values())
    assert granted(state) == {"user:owner@example.com": {f"projects/{PROJECT}": {"owner"}}}
    deployed.forget_calls()
    assert deploy(deployed, *HOST, "destroy", "--yes").returncode == 0
    assert deployed.changes() == []


def test_what_somebody_else_made_is_never_destroyed(deployed: Cloud) -> None:
    state = deployed.state
    resources = state["resources"]
    resources["secrets"]["postgres-password"]["labels"] = {}
    resources["pubsub topics"]["sheet-to-bigquery-requests"]["labels"] = {"team": "portal"}
    resources["pubsub topics"]["another"] = {"name": f"projects/{PROJECT}/topics/another", "labels": {}}
    resources["logging metrics"]["sheet_to_bigquery_job_success"]["description"] = "Successful executions"
    resources["scheduler jobs"]["orchestrator-schedule"]["description"] = "by hand"
    resources["datasets"] = {f"{PROJECT}:sales": {"id": "sales", "access": []}}
    deployed.write(state)
    done = deploy(deployed, *HOST, "destroy", "--yes", f"--datasets={PROJECT}.sales")
    assert done.returncode == 0, done.stderr
    left = {kind: sorted(each) for kind, each in deployed.state["resources"].items() if each and kind != "iam roles"}
    assert left == {
        "datasets": [f"{PROJECT}:sales"],
        "secrets": ["postgres-password"],
        "secrets versions": ["postgres-password"],
        "pubsub topics": ["another", "sheet-to-bigquery-requests"],
        "logging metrics": ["sheet_to_bigquery_job_success"],
        "scheduler jobs": ["orchestrator-schedule"],
    }
    assert "orchestrator-schedule stays" in done.stderr


def test_a_schedule_of_somebody_else_is_corrected_but_not_destroyed(deployed: Cloud) -> None:
    state = deployed.state
    state["resources"]["scheduler jobs"]["orchestrator-schedule"] |= {"description": "by hand", "schedule": "0 0 * * *"}
    deployed.write(state)
    assert deploy(deployed, *HOST, "schedule").returncode == 0
    assert deployed.state["resources"]["scheduler jobs"]["orchestrator-schedule"]["schedule"] == "*/5 * * * *"
    done = deploy(deployed, *HOST, "destroy", "--yes")
    assert done.returncode == 0, done.stderr
    assert list(deployed.state["resources"]["scheduler jobs"]) == ["orchestrator-schedule"]


def test_a_destroyed_deployment_can_be_made_again(deployed: Cloud, finished: dict[str, Any]) -> None:
    assert deploy(deployed, *HOST, "destroy", "--yes").returncode == 0
    done = deploy(deployed, *HOST)
    assert done.returncode == 0, done.stderr
    assert deployed.state == {key: each for key, each in finished.items() if key != "changes"}


def test_nothing_is_destroyed_without_saying_so(deployed: Cloud) -> None:
    done = deploy(deployed, *HOST, "destroy")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert deployed.changes() == []
