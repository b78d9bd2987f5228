"""The older service's portal: its messages go to the service or to forward, never to both or nobody unsaid."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import HOST, PROJECT, deploy, granted, member

TOPIC, DIRECT, OURS = "older-syncs", "older-syncs-push", "sheet-to-bigquery-forward"
SERVICE = "https://service-sheettobigquery-abc-uc.a.run.app"
CALLER = f"older-push@{PROJECT}.iam.gserviceaccount.com"
FLAGS = (*HOST, f"--portal-topic={TOPIC}")
PUSH = {
    "pushEndpoint": f"{SERVICE}/sheet-to-bigquery",
    "oidcToken": {"serviceAccountEmail": CALLER, "audience": SERVICE},
}


@pytest.fixture
def older(deployed: Cloud) -> Cloud:
    """The older service beside a deployment: its portal's topic, and the subscription that pushes to it."""
    state = deployed.state
    resources = state["resources"]
    resources["pubsub topics"][TOPIC] = {"name": f"projects/{PROJECT}/topics/{TOPIC}", "labels": {}}
    resources["pubsub subscriptions"][DIRECT] = {
        "name": f"projects/{PROJECT}/subscriptions/{DIRECT}",
        "topic": f"projects/{PROJECT}/topics/{TOPIC}",
        "ackDeadlineSeconds": 600,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {},
        "pushConfig": PUSH,
    }
    resources["run services"]["service-sheettobigquery"] = {
        "metadata": {"name": "service-sheettobigquery"},
        "status": {"url": SERVICE, "traffic": [{"latestRevision": True, "percent": 100}]},
    }
    resources["iam service-accounts"][CALLER] = {"email": CALLER, "description": "", "name": CALLER}
    deployed.write(state)
    return deployed


@pytest.fixture
def forwarding(older: Cloud) -> Cloud:
    for words in ([], ["portal"]):
        done = deploy(older, *FLAGS, *words)
        assert done.returncode == 0, done.stderr
    older.forget_calls()
    return older


def pushing(cloud: Cloud) -> list[str]:
    """Which of the two subscriptions push."""
    return [name for name in (DIRECT, OURS) if "pushConfig" in cloud.resources("pubsub subscriptions").get(name, {})]


def subscription(cloud: Cloud, name: str) -> dict[str, Any]:
    return cloud.resources("pubsub subscriptions")[name]


def test_a_deployment_makes_forward_and_leaves_the_portals_messages_where_they_go(older: Cloud) -> None:
    done = deploy(older, *FLAGS)
    assert done.returncode == 0, done.stderr
    assert pushing(older) == [DIRECT]
    assert "The portal's messages go to the older service; to have forward take them: ./deploy.sh" in done.stderr
    config = older.resources("functions")["sheettobigquery-forward"]["serviceConfig"]
    assert config["environmentVariables"]["SERVICE_URL"] == SERVICE
    assert config["environmentVariables"]["PORTAL_TOPIC"] == TOPIC
    ours = subscription(older, OURS)
    assert config["timeoutSeconds"] < ours["ackDeadlineSeconds"] == 600
    assert ours["expirationPolicy"] == {}
    assert ours["deadLetterPolicy"]["deadLetterTopic"].endswith("/sheet-to-bigquery-dead-letters")
    older.forget_calls()
    assert deploy(older, *FLAGS).returncode == 0
    assert older.changes() == []


def test_forward_may_publish_requests_and_call_the_service_and_nothing_else(older: Cloud) -> None:
    assert deploy(older, *FLAGS).returncode == 0
    held = granted(older.state)
    assert held[member("forward")] == {
        "pubsub topics/sheet-to-bigquery-requests": {"pubsub.publisher"},
        "run services/service-sheettobigquery": {"run.invoker"},
        "secrets/postgres-password": {"secretmanager.secretAccessor"},
    }
    assert held[member("push-forward")] == {"run services/sheettobigquery-forward": {"run.invoker"}}


def test_portal_pauses_the_services_subscription_and_has_ours_push(forwarding: Cloud) -> None:
    assert pushing(forwarding) == [OURS]
    push = subscription(forwarding, OURS)["pushConfig"]
    url = forwarding.resources("functions")["sheettobigquery-forward"]["serviceConfig"]["uri"]
    assert push["pushEndpoint"] == f"{url}/projects/{PROJECT}/topics/{TOPIC}"
    assert f"serviceAccount:{push['oidcToken']['serviceAccountEmail']}" == member("push-forward")
    for words in (["portal"], []):
        done = deploy(forwarding, *FLAGS, *words)
        assert done.returncode == 0, done.stderr
        assert forwarding.changes() == []
    assert "The portal's messages go to forward" in done.stderr


def test_portal_back_restores_what_was_there_and_replays_no_more_than_forward_may_still_have(forwarding: Cloud) -> None:
    done = deploy(forwarding, *FLAGS, "portal", "--back")
    assert done.returncode == 0, done.stderr
    assert pushing(forwarding) == [DIRECT]
    direct = subscription(forwarding, DIRECT)
    assert direct["pushConfig"] == PUSH
    age = datetime.now(UTC) - datetime.fromisoformat(direct["soughtTo"].replace("Z", "+00:00"))
    assert timedelta(minutes=119) < age < timedelta(minutes=122)
    # And there again, as the first time.
    assert deploy(forwarding, *FLAGS, "portal").returncode == 0
    assert pushing(forwarding) == [OURS]


@pytest.mark.parametrize("words", [["portal"], ["portal", "--back"]])
def test_a_switch_that_is_cut_off_anywhere_is_told_and_finished_by_the_next_call(
    forwarding: Cloud, words: list[str]
) -> None:
    if words == ["portal"]:
        assert deploy(forwarding, *FLAGS, "portal", "--back").returncode == 0
    before, wanted = forwarding.state, [OURS] if words == ["portal"] else [DIRECT]
    for after in range(5):
        forwarding.write(before)
        forwarding.cut_power(after)
        cut = deploy(forwarding, *FLAGS, *words)
        # At no moment do both push.
        assert len(pushing(forwarding)) < 2
        forwarding.restore_power()
        done = deploy(forwarding, *FLAGS, *words)
        assert done.returncode == 0, done.stderr
        assert pushing(forwarding) == wanted
        if cut.returncode == 0:
            break
    assert cut.returncode == 0
    assert after >= 2


def test_both_and_neither_are_told_by_every_deployment(forwarding: Cloud) -> None:
    state = forwarding.state
    state["resources"]["pubsub subscriptions"][DIRECT]["pushConfig"] = PUSH
    forwarding.write(state)
    assert "to forward AND to the older service" in deploy(forwarding, *FLAGS, "functions").stderr
    for name in (DIRECT, OURS):
        state["resources"]["pubsub subscriptions"][name].pop("pushConfig")
    forwarding.write(state)
    assert "go to nobody, and wait" in deploy(forwarding, *FLAGS, "functions").stderr


def test_a_portal_that_is_not_there_is_seen_before_anything_changes(deployed: Cloud) -> None:
    done = deploy(deployed, *FLAGS)
    assert done.returncode == 2
    assert f"PORTAL_TOPIC={TOPIC}: there is no such topic" in done.stderr
    assert deployed.changes() == []


def test_destroy_does_not_leave_the_portal_without_anybody_who_hears_of_it(forwarding: Cloud) -> None:
    done = deploy(forwarding, "destroy", "--yes")
    assert done.returncode == 2
    assert f"--portal-topic={TOPIC} portal --back" in done.stderr
    assert forwarding.changes() == []
    assert deploy(forwarding, *FLAGS, "portal", "--back").returncode == 0
    done = deploy(forwarding, "destroy", "--yes")
    assert done.returncode == 0, done.stderr
    assert pushing(forwarding) == [DIRECT]
    assert granted(forwarding.state) == {"user:owner@example.com": {f"projects/{PROJECT}": {"owner"}}}
    assert list(forwarding.resources("pubsub subscriptions")) == [DIRECT]


def test_shadow_runs_may_write_beside_each_dataset(older: Cloud) -> None:
    done = deploy(older, *FLAGS, f"--datasets={PROJECT}.sales", "--shadow-suffix=_trial")
    assert done.returncode == 0, done.stderr
    assert sorted(older.resources("datasets")) == [f"{PROJECT}:sales", f"{PROJECT}:sales_trial"]
    assert [len(each["access"]) for each in older.resources("datasets").values()] == [2, 2]
    for name in ("sheettobigquery-orchestrator", "sheettobigquery-launch", "sheettobigquery-forward"):
        config = older.resources("functions")[name]["serviceConfig"]
        assert config["environmentVariables"]["SHADOW_SUFFIX"] == "_trial"


def test_a_shadow_dataset_is_made_where_the_one_beside_it_is(older: Cloud) -> None:
    state = older.state
    state["resources"]["datasets"] = {f"{PROJECT}:sales": {"id": "sales", "location": "EU", "access": []}}
    older.write(state)
    done = deploy(older, *FLAGS, f"--datasets={PROJECT}.sales")
    assert done.returncode == 0, done.stderr
    assert older.resources("datasets")[f"{PROJECT}:sales_shadow"]["location"] == "EU"


def test_a_migrator_may_do_what_migrate_does(older: Cloud) -> None:
    flags = [*FLAGS, f"--datasets={PROJECT}.sales"]
    assert deploy(older, *flags).returncode == 0
    for _ in range(2):
        older.forget_calls()
        done = deploy(older, *flags, "migrator", "user:ann@example.com")
        assert done.returncode == 0, done.stderr
    assert older.changes() == []
    assert granted(older.state)["user:ann@example.com"] == {
        f"projects/{PROJECT}": {
            "sheettobigquery.migration",
            "sheettobigquery.loads",
            "bigquery.user",
            "bigquery.resourceViewer",
            "monitoring.viewer",
        },
        "run jobs/sheettobigquery-job": {"run.viewer", "sheettobigquery.executions"},
        "pubsub topics/sheet-to-bigquery-requests": {"pubsub.publisher"},
        f"pubsub topics/{TOPIC}": {"pubsub.publisher"},
        "run services/service-sheettobigquery": {"run.developer"},
    }
    for each in older.resources("datasets").values():
        assert {"role": "WRITER", "userByEmail": "ann@example.com"} in each["access"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["migrator"], "is not user:"),
        (["migrator", "ann"], "is not user:"),
        (["migrator", "user:ann@example.com"], "name their datasets"),
    ],
)
def test_a_migrator_that_cannot_be_let_in_changes_nothing(older: Cloud, words: list[str], said: str) -> None:
    done = deploy(older, *FLAGS, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert older.changes() == []


def test_a_deployment_goes_on_when_the_service_is_deleted_if_it_is_told_its_address(forwarding: Cloud) -> None:
    state = forwarding.state
    del state["resources"]["run services"]["service-sheettobigquery"]
    forwarding.write(state)
    refused = deploy(forwarding, *FLAGS)
    assert (refused.returncode, "there is no service service-sheettobigquery" in refused.stderr) == (2, True)
    done = deploy(forwarding, *FLAGS, f"--service-url={SERVICE}")
    assert done.returncode == 0, done.stderr
    assert (forwarding.changes(), pushing(forwarding)) == ([], [OURS])
