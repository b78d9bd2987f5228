"""`migrate.py rollback`: the mark first, then whatever is open; whoever is killed in between calls it again."""

import json
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import grpc
import pytest
from google.api_core.exceptions import Conflict, DeadlineExceeded
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.pubsub import PORTAL
from shared.messages import ManualRequest
from tests.integration.migrate.conftest import NOBODY, PROJECT

RAW = "UPDATE sheet_to_bigquery_configs SET migration_status = 'service' WHERE name IN ('sales')"


@pytest.mark.parametrize("owner", ["shadow", "job_ready"])
def test_a_config_is_the_services_again(owner, migrate, team) -> None:
    team.config("sales", owner)
    done = migrate("rollback", "sales", "--reason", "wrong sums")
    assert (done.returncode, done.stderr) == (0, "")
    assert team.owners() == {"sales": "service"}
    assert team.changes()[-1] == ("sales", owner, "service", "ana@desk", "wrong sums")


def test_only_those_that_are_named_go_back(migrate, team) -> None:
    for name in ("a", "b", "c"):
        team.config(name, "job_ready")
    assert migrate("rollback", "a", "c").returncode == 0
    assert team.owners() == {"a": "service", "b": "job_ready", "c": "service"}


def test_one_that_is_the_services_stays_so_and_nothing_is_written_down(migrate, team) -> None:
    team.config("sales")
    assert migrate("rollback", "sales").returncode == 0
    assert team.changes() == []


def test_what_waits_ends_and_what_is_in_flight_loads_nothing_any_more(migrate, team, add_run) -> None:
    config_id = team.config("sales", "job_ready")
    run = team.in_flight(config_id, add_run)
    add_run(config_id, run.slot, "reset", state="pending", destination=run.destination)
    done = migrate("rollback", "sales", "--json")
    assert done.returncode == 0, done.stderr
    assert {each["became"] for each in json.loads(done.stdout)[0]["closed"]} == {"cancelled"}
    assert {state for _, state in team.runs()} == {"cancelled"}
    with pytest.raises(Conflict):
        team.load_as_job(run)


def test_a_load_that_was_faster_is_told_as_the_success_that_it_is(migrate, team, add_run) -> None:
    run = team.in_flight(team.config("sales", "job_ready"), add_run)
    team.load_as_job(run)
    done = migrate("rollback", "sales")
    assert (done.returncode, "was faster" in done.stdout) == (0, True)
    assert team.run(run.id).state == "succeeded"


@pytest.fixture
def portal(environment) -> Iterator[Callable[[], list[dict]]]:
    """What is published to the portal's topic from now on."""
    client = SubscriberClient(
        transport=SubscriberGrpcTransport(channel=grpc.insecure_channel(environment["PUBSUB_EMULATOR_HOST"]))
    )
    name = f"projects/{PROJECT}/subscriptions/s{uuid.uuid4().hex[:8]}"
    client.create_subscription(name=name, topic=f"projects/{PROJECT}/topics/{PORTAL}")

    def pull() -> list[dict]:
        try:
            found = client.pull(subscription=name, max_messages=10, timeout=3, retry=None).received_messages
        except DeadlineExceeded:
            return []
        return [json.loads(each.message.data) for each in found]

    yield pull
    client.delete_subscription(subscription=name)


def asked(team, config_id: int, message_id: str = "portal/m1", **more) -> None:
    """The portal's message of a config of the job's became a run, which waits."""
    body = json.dumps({"id": config_id} | more).encode()
    team.store.record_request(message_id, ManualRequest(id=config_id), body, team.store.now(), if_ours=True)


def test_a_message_that_waited_for_the_job_goes_to_the_service(migrate, team, portal) -> None:
    config_id = team.config("sales", "job_ready")
    asked(team, config_id)
    asked(team, config_id, "portal/m2", newer=True)
    done = migrate("rollback", "sales")
    assert (done.returncode, "goes to the service" in done.stdout) == (0, True)
    assert portal() == [{"id": config_id, "newer": True}]
    assert migrate("rollback", "sales").returncode == 0
    assert portal() == []


@pytest.mark.parametrize("point", ["migrate.after_mark", "migrate.after_close"])
def test_it_goes_to_the_service_whoever_is_killed(point, migrate, team, portal, add_run) -> None:
    team.in_flight(team.config("stock", "job_ready"), add_run)
    config_id = team.config("sales", "job_ready")
    asked(team, config_id)
    migrate("rollback", "--all", "--no-cloud", die_at=point)
    assert portal() == []
    assert migrate("rollback", "--all", "--no-cloud").returncode == 0
    assert portal() == [{"id": config_id}]


def test_a_message_of_a_run_that_was_closed_in_flight_goes_to_the_service_too(
    migrate, team, portal, add_run, sql
) -> None:
    config_id = team.config("sales", "job_ready")
    run = team.in_flight(config_id, add_run)
    asked(team, config_id)
    sql("UPDATE sheet_to_bigquery_messages SET run_id = :id", id=run.id)
    assert migrate("rollback", "sales").returncode == 0
    assert team.run(run.id).state == "cancelled"
    assert portal() == [{"id": config_id}]
    assert team.store.find_kept("portal/m1").verdict == "retried"


@pytest.mark.parametrize("by", ["job", "service"])
def test_a_message_after_which_the_table_was_loaded_goes_nowhere(by, migrate, team, portal, add_run, sql) -> None:
    config_id = team.config("sales", "job_ready")
    asked(team, config_id)
    sql("UPDATE sheet_to_bigquery_runs SET state = 'cancelled', ended_at = now()")
    if by == "job":
        add_run(config_id, datetime.now(UTC), "manual", "succeeded", claimed_at=datetime.now(UTC), attempt=1)
    else:
        team.message_at_service(config_id, 0)
        sql("UPDATE sheet_to_bigquery_forwards SET ended_at = now(), status = 200")
    assert migrate("rollback", "sales").returncode == 0
    assert portal() == []


def test_nobody_is_asked_to_publish_what_a_newer_message_has_answered(migrate, team, portal, add_run, sql) -> None:
    """The command dies, and the service loads for a newer message before it is called again."""
    config_id = team.config("sales", "job_ready")
    run = team.in_flight(config_id, add_run)
    asked(team, config_id)
    sql("UPDATE sheet_to_bigquery_messages SET run_id = :id", id=run.id)
    migrate("rollback", "sales", die_at="migrate.after_close")
    assert team.store.find_kept("portal/m1").verdict == "poison"
    team.message_at_service(config_id, 0)
    sql("UPDATE sheet_to_bigquery_forwards SET ended_at = now(), status = 200")
    assert migrate("rollback", "sales").returncode == 0
    assert (team.store.find_kept("portal/m1").verdict, portal()) == ("retried", [])


def test_a_message_that_cannot_be_published_is_told_and_goes_when_it_can(migrate, team, portal) -> None:
    config_id = team.config("sales", "job_ready")
    asked(team, config_id)
    done = migrate("rollback", "sales", PUBSUB_EMULATOR_HOST="127.0.0.1:9")
    assert (done.returncode, "is not with the service yet" in done.stderr) == (1, True)
    assert team.owners() == {"sales": "service"}
    assert migrate("rollback", "sales").returncode == 0
    assert portal() == [{"id": config_id}]


def test_where_bigquery_does_not_answer_the_mark_stands_and_the_command_ends_it_later(migrate, team, add_run) -> None:
    run = team.in_flight(team.config("sales", "job_ready"), add_run)
    done = migrate("rollback", "sales", BIGQUERY_EMULATOR_HOST=NOBODY)
    assert done.returncode == 1
    assert "the marks stand" in done.stderr
    assert "`python migrate.py rollback NAME…`" in done.stderr
    assert (team.owners(), team.run(run.id).state) == ({"sales": "service"}, "running")
    assert team.run(run.id).cancel_requested_at is not None
    assert migrate("rollback", "sales").returncode == 0
    assert team.run(run.id).state == "cancelled"


def test_a_run_that_cannot_be_closed_keeps_no_other_config_from_going_back(migrate, team, add_run) -> None:
    team.in_flight(team.config("stuck", "job_ready"), add_run)
    team.config("free", "job_ready")
    done = migrate("rollback", "stuck", "free", BIGQUERY_EMULATOR_HOST=NOBODY)
    assert done.returncode == 1
    assert team.owners() == {"stuck": "service", "free": "service"}


def test_an_unknown_name_keeps_all_others_as_they_are(migrate, team) -> None:
    team.config("sales", "job_ready")
    done = migrate("rollback", "sales", "slaes", "42")
    assert (done.returncode, team.owners()) == (2, {"sales": "job_ready"})
    assert "nothing was changed" in done.stderr
    assert 'no config named "slaes"' in done.stderr
    assert "there is no config 42" in done.stderr
    assert "`job_helper.py configs` lists them" in done.stderr


def test_a_name_of_two_configs_is_refused_with_their_ids(migrate, team) -> None:
    ids = [team.config("sales", "job_ready", bigquery_table_id=f"t{number}") for number in range(2)]
    done = migrate("rollback", "sales")
    assert (done.returncode, f"{ids[0]}, {ids[1]}" in done.stderr) == (2, True)
    assert team.changes()[2:] == []
    assert migrate("rollback", str(ids[0])).returncode == 0


def test_a_dry_run_changes_nothing(migrate, team, add_run) -> None:
    run = team.in_flight(team.config("sales", "job_ready"), add_run)
    done = migrate("rollback", "sales", "--dry-run")
    assert (done.returncode, "nothing was changed" in done.stdout) == (0, True)
    assert (team.owners(), team.run(run.id).cancel_requested_at) == ({"sales": "job_ready"}, None)


def test_all_go_back_and_the_marks_alone_where_nothing_of_the_cloud_is_wanted(migrate, team) -> None:
    team.config("a", "job_ready")
    team.config("b", "shadow")
    team.config("c", None)
    done = migrate("rollback", "--all", "--no-cloud", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cloud"] == []
    assert team.owners() == {"a": "service", "b": "service", "c": None}


@pytest.mark.parametrize("point", ["migrate.after_mark", "migrate.after_wish", "migrate.after_close"])
@pytest.mark.parametrize("which", [["sales", "stock"], ["--all", "--no-cloud"]])
def test_whoever_is_killed_calls_it_again_and_it_ends_in_the_same_state(point, which, migrate, team, add_run) -> None:
    for name in ("sales", "stock"):
        team.in_flight(team.config(name, "job_ready"), add_run)
    migrate("rollback", *which, die_at=point)
    assert team.owners() == {"sales": "service", "stock": "service"}
    again = migrate("rollback", *which)
    assert again.returncode == 0, again.stderr
    assert team.runs() == [("manual", "cancelled"), ("manual", "cancelled")]
    assert [change[:3] for change in team.changes()[2:]] == [
        ("sales", "job_ready", "service"),
        ("stock", "job_ready", "service"),
    ]


def test_what_the_guides_sql_marked_is_ended_by_the_command(migrate, team, add_run, sql) -> None:
    run = team.in_flight(team.config("sales", "job_ready"), add_run)
    sql(RAW)
    assert team.run(run.id).state == "running"
    assert migrate("rollback", "--all", "--no-cloud").returncode == 0
    assert team.run(run.id).state == "cancelled"
    assert team.changes()[-1][:3] == ("sales", "job_ready", "service")


@pytest.fixture
def slow_loads(team, cloud) -> Iterator[None]:
    """BigQuery takes its time with every load."""

    def order(seconds: float) -> None:
        body = json.dumps({"load_seconds": seconds}).encode()
        urllib.request.urlopen(f"{cloud['BIGQUERY_EMULATOR_HOST']}/faults", body, timeout=10).close()  # noqa: S310

    order(6)
    yield
    order(0)


def test_it_waits_for_a_load_that_bigquery_is_at(slow_loads, migrate, team, add_run) -> None:
    run = team.in_flight(team.config("sales", "job_ready"), add_run)
    team.load_as_job(run, wait=False)
    done = migrate("rollback", "sales")
    assert (done.returncode, "was faster" in done.stdout) == (0, True)
    assert team.run(run.id).state == "succeeded"


def test_who_does_not_wait_is_told_that_the_table_is_the_jobs_until_then(slow_loads, migrate, team, add_run) -> None:
    run = team.in_flight(team.config("sales", "job_ready"), add_run)
    team.load_as_job(run, wait=False)
    done = migrate("rollback", "sales", "--wait", "0", "--json")
    assert (done.returncode, "messages are held back" in done.stderr) == (1, True)
    assert json.loads(done.stdout)[0]["closed"][0]["became"] == "open"
    assert team.owners() == {"sales": "service"}


@pytest.mark.parametrize(
    "wrong", [["rollback"], ["rollback", "sales", "--all"], ["rollback", "sales", "--no-cloud"], ["rollback", ""]]
)
def test_a_wrong_command_line_changes_nothing(wrong, migrate, team) -> None:
    team.config("sales", "job_ready")
    assert migrate(*wrong).returncode == 2
    assert team.owners() == {"sales": "job_ready"}
