"""Nobody may do less than they do, and nobody is granted what nothing uses."""

from pathlib import Path

import msgspec
import pytest

from local.pubsub import REQUESTS
from tests.permissions.table import Grant, Made, Role, Table, idle, idle_permissions, read_table, uncovered

TABLE = read_table(Path(__file__).parents[2] / "deploy" / "permissions.toml")


def test_every_call_that_a_component_made_is_covered_by_its_grants(made: set[Made]) -> None:
    assert uncovered(TABLE, made) == []


def test_every_grant_is_used_or_says_why_that_cannot_be_seen_here(made: set[Made]) -> None:
    assert idle(TABLE, made) == []


def test_every_permission_of_our_own_roles_was_needed(made: set[Made]) -> None:
    assert idle_permissions(TABLE, made) == []


def test_no_call_is_in_the_table_that_nobody_makes(made: set[Made]) -> None:
    assert TABLE.calls.keys() - {call for _, call in made} == set()


def test_all_components_were_at_work(made: set[Made]) -> None:
    components = {component for component, _ in made}
    assert components == {
        "scheduler",
        "push-launch",
        "push-complete",
        "push-forward",
        "dispatch",
        "launch",
        "complete",
        "forward",
        "job",
        "console",
        "viewer",
        "commands",
        "migration",
    }


def without(component: str, role: str) -> Table:
    kept = [grant for grant in TABLE.grants if (grant.component, grant.role) != (component, role)]
    assert len(kept) < len(TABLE.grants)
    return msgspec.structs.replace(TABLE, grants=kept)


@pytest.mark.parametrize(
    ("component", "role", "call", "lacking"),
    [
        ("job", "roles/bigquery.dataEditor", "bigquery.tables.delete", "bigquery.tables.delete on datasets"),
        ("complete", "sheettobigquery.loads", "settling bigquery.jobs.get", "bigquery.jobs.get on project"),
        ("launch", "roles/pubsub.publisher", f"pubsub Publish {REQUESTS}", "pubsub.topics.publish on requests"),
    ],
)
def test_a_missing_grant_is_seen(component: str, role: str, call: str, lacking: str, made: set[Made]) -> None:
    assert f"{component} made {call}, but may not {lacking}" in uncovered(without(component, role), made)


def test_a_grant_too_many_is_seen(made: set[Made]) -> None:
    idle_one = Grant("launch", "roles/bigquery.dataEditor", "project")
    stale = Grant("job", "roles/pubsub.publisher", "completions", unseen="nobody looked")
    wider = msgspec.structs.replace(TABLE, grants=[*TABLE.grants, idle_one, stale])
    assert idle(wider, made) == [
        "roles/bigquery.dataEditor of launch on project is not used",
        "roles/pubsub.publisher of job on completions is used after all",
    ]
    roles = TABLE.roles | {"sheettobigquery.loads": Role("ours", ["bigquery.jobs.create", "bigquery.jobs.delete"])}
    assert idle_permissions(msgspec.structs.replace(TABLE, roles=roles), made) == [
        "bigquery.jobs.delete of sheettobigquery.loads"
    ]


def test_a_call_that_nobody_reviewed_is_seen() -> None:
    new = Made("job", "bigquery.datasets.undelete")
    assert uncovered(TABLE, [new]) == ["job made bigquery.datasets.undelete, which is not in the table"]
