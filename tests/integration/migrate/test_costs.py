"""`migrate.py costs`: both systems side by side, and what could not be asked."""

import json
from datetime import timedelta

import pytest


@pytest.fixture
def used(team, add_run) -> None:
    """Two runs of the job's of a minute each, and a message that the service answered after ten seconds."""
    config_id = team.config("sales", "job_ready")
    now = team.store.now() - timedelta(hours=1)
    for hours in (0, 1):
        at = now - timedelta(hours=hours)
        add_run(config_id, at, verdict="loaded", claimed_at=at - timedelta(seconds=60), ended_at=at, attempt=1)
    team.sql(
        "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, begun_at, open_until, ended_at, status)"
        " VALUES ('m', :id, :at, :at, CAST(:at AS timestamptz) + interval '10 seconds', 200)",
        id=config_id,
        at=now,
    )


def test_the_ledger_alone_tells_loads_and_times_and_a_reckoned_cost(used, migrate) -> None:
    told = json.loads(migrate("costs", "--no-cloud", "--price", "job_cpu_second=1", "--json").stdout)
    assert (told["job_use"][0]["runs"], told["service_use"]["messages"]) == (2, 1)
    assert (told["job"]["cpu_seconds"], told["service"]["instance_seconds"]) == (120, 10)
    assert told["job"]["compute_cost"] == pytest.approx(120, abs=0.01)
    assert told["job"]["measured"] is False


def test_a_table_has_both_side_by_side(used, migrate) -> None:
    lines = migrate("costs", "--no-cloud").stdout.splitlines()
    (loads,) = [line for line in lines if line.startswith("loads")]
    assert loads.split() == ["loads", "1", "2"]
    assert any("without idle time" in line for line in lines)


def test_what_google_does_not_tell_is_said_and_the_rest_is_told(used, migrate, cloud) -> None:
    done = migrate("costs", MONITORING_API_ENDPOINT="http://127.0.0.1:9")
    assert (done.returncode, "Cloud Monitoring cannot be reached" in done.stdout) == (0, True)
    assert "instance seconds" in done.stdout


@pytest.mark.parametrize(
    "wrong", [["--price", "coffee=3"], ["--price", "job_cpu_second=much"], ["--service-size", "big"], ["--days", "0"]]
)
def test_what_is_no_price_or_size_is_told_with_what_is_one(wrong, migrate, team) -> None:
    assert migrate("costs", "--no-cloud", *wrong).returncode == 2
