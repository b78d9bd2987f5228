"""deploy.sh takes an empty project to the running system: what is there then, and who may do what."""

from typing import Any

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import CLOUD_SQL, HOST, PROJECT, deploy, granted, member

AGENT = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
SINK_WRITER = "serviceAccount:service-123456789012@gcp-sa-logging.iam.gserviceaccount.com"
TOPICS = ["sheet-to-bigquery-completions", "sheet-to-bigquery-dead-letters", "sheet-to-bigquery-requests"]


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
        member("console"): {requests: {"pubsub.publisher"}, password: {"secretmanager.secretAccessor"}},
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


def test_functions_are_their_own_identities_and_none_but_the_console_is_reached_from_outside(
    finished: dict[str, Any],
) -> None:
    functions = finished["resources"]["functions"]
    entries = {name: each["buildConfig"]["entryPoint"] for name, each in functions.items()}
    assert entries == {
        "sheettobigquery-orchestrator": "dispatch",
        "sheettobigquery-launch": "launch",
        "sheettobigquery-complete": "complete",
        "sheettobigquery-console": "console",
    }
    for name, entry in entries.items():
        config = functions[name]["serviceConfig"]
        assert config["ingressSettings"] == ("ALLOW_ALL" if entry == "console" else "ALLOW_INTERNAL_ONLY")
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
        f"syncs/sheettobigquery-{name}@{PROJECT}.iam" for name in ("complete", "console", "dispatch", "launch")
    ]
    for name in ("dispatch", "launch", "complete", "console"):
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
