"""`migrate.py shadow`: the job loads beside the service; what cannot be done is told before anything changes."""

import json
import uuid

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from tests.integration.migrate.conftest import PROJECT
from tests.integration.migrate.refusing import refusing


@pytest.fixture
def dataset() -> str:
    """The name of a dataset that only this test knows."""
    return f"d{uuid.uuid4().hex[:10]}"


@pytest.fixture
def sales(team, dataset) -> int:
    """A config of the service's that the service has loaded, in Europe."""
    team.load_as_service(f"{dataset}.sales", location="EU")
    return team.config("sales", bigquery_dataset_id=dataset)


def shadow_of(team, dataset: str) -> bigquery.Dataset | None:
    try:
        return team.warehouse.get_dataset(f"{PROJECT}.{dataset}_shadow")
    except NotFound:
        return None


def is_untouched(team, dataset: str) -> bool:
    owners = set(team.owners().values())
    return owners <= {"service", "job_ready", None} and not team.runs() and shadow_of(team, dataset) is None


def test_a_dataset_is_made_where_the_services_is_and_one_run_is_queued(sales, dataset, migrate, team, sql) -> None:
    done = migrate("shadow", "sales", "--no-wait", "--reason", "the first")
    assert done.returncode == 0, done.stderr
    made = shadow_of(team, dataset)
    assert made is not None
    assert (made.location, made.labels) == ("EU", {"made_by": "sheet-to-bigquery-migration"})
    assert team.owners() == {"sales": "shadow"}
    assert team.changes() == [("sales", "service", "shadow", "ana@desk", "the first")]
    assert sql("SELECT why, state, destination FROM sheet_to_bigquery_runs") == [
        ["shadow", "queued", f"{PROJECT}.{dataset}_shadow.sales"]
    ]


def test_how_the_jobs_identity_is_let_in_is_told_as_a_command(sales, dataset, migrate) -> None:
    done = migrate("shadow", "sales", "--no-wait")
    assert f"{PROJECT}.{dataset}_shadow" in done.stderr
    assert "DATASETS" in done.stderr


def test_who_was_let_in_already_is_not_told_again(sales, migrate, team) -> None:
    assert "DATASETS" in migrate("shadow", "sales", "--no-wait").stderr
    team.load_shadow(sales, [{"n": "1"}])
    assert "DATASETS" not in migrate("shadow", "sales", "--no-wait").stderr


def test_one_that_is_in_shadow_already_is_loaded_once_more(sales, migrate, team, sql) -> None:
    migrate("shadow", "sales", "--no-wait")
    sql("UPDATE sheet_to_bigquery_runs SET state = 'cancelled', ended_at = now()")
    done = migrate("shadow", "sales", "--no-wait")
    assert (done.returncode, "loaded once more" in done.stdout) == (0, True)
    assert team.runs() == [("shadow", "cancelled"), ("shadow", "queued")]
    assert len(team.changes()) == 1


def test_a_suffix_of_ones_own_names_the_dataset(sales, dataset, migrate, team, sql) -> None:
    assert migrate("shadow", "sales", "--no-wait", SHADOW_SUFFIX="_beside").returncode == 0
    assert sql("SELECT destination FROM sheet_to_bigquery_runs") == [[f"{PROJECT}.{dataset}_beside.sales"]]


def test_a_dry_run_makes_nothing(sales, dataset, migrate, team) -> None:
    done = migrate("shadow", "sales", "--dry-run")
    assert (done.returncode, f"would make dataset {PROJECT}.{dataset}_shadow" in done.stdout) == (0, True)
    assert is_untouched(team, dataset)


def test_who_waits_sees_the_runs_end(sales, migrate, team, sql) -> None:
    migrate("shadow", "sales", "--no-wait")
    done = migrate("shadow", "sales", "--timeout", "1", "--json")
    assert (done.returncode, "not all have ended" in done.stderr) == (124, True)
    assert [run["state"] for run in json.loads(done.stdout)[0]["runs"]] == [
        "pending"
    ]  # behind the first, which goes on


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"is_active": False}, "job_helper.py resume"),
        ({"google_sheet_url": "nowhere"}, "google_sheet_url"),
        ({"bigquery_table_id": "never_loaded"}, "has no table"),
        ({"bigquery_dataset_id": "never_made"}, "has no table"),
        ({"migration_status": "job_ready"}, "`python migrate.py rollback"),
    ],
)
def test_one_that_cannot_be_loaded_beside_keeps_all_as_they_are(changes, told, sales, dataset, migrate, team) -> None:
    team.config("other", **{"bigquery_dataset_id": dataset} | changes)
    done = migrate("shadow", "sales", "other", "nobody", "--no-wait")
    assert (done.returncode, told in done.stderr) == (2, True)
    assert 'no config named "nobody"' in done.stderr
    assert is_untouched(team, dataset)


def test_where_the_shadow_would_be_a_configs_own_table_nothing_changes(sales, dataset, migrate, team) -> None:
    team.config("own", bigquery_dataset_id=f"{dataset}_shadow", bigquery_table_id="sales", is_active=False)
    done = migrate("shadow", "sales", "--no-wait")
    assert (done.returncode, "SHADOW_SUFFIX" in done.stderr, '"own"' in done.stderr) == (1, True, True)
    assert is_untouched(team, dataset)


def test_a_table_that_somebody_has_where_the_shadow_would_be_is_not_replaced(sales, dataset, migrate, team) -> None:
    team.load_as_service(f"{dataset}_shadow.sales", [{"somebody": "else"}], location="EU")
    done = migrate("shadow", "sales", "--no-wait")
    assert (done.returncode, "no shadow run has made it" in done.stderr) == (1, True)
    assert "SHADOW_SUFFIX" in done.stderr
    assert (team.owners(), team.runs()) == ({"sales": "service"}, [])


def test_a_table_that_a_shadow_run_made_is_loaded_once_more(sales, dataset, migrate, team) -> None:
    migrate("shadow", "sales", "--no-wait")
    team.load_shadow(sales, [{"n": "1"}])
    assert migrate("rollback", "sales").returncode == 0
    assert migrate("shadow", "sales", "--no-wait").returncode == 0
    assert team.runs() == [("shadow", "succeeded"), ("shadow", "queued")]


def test_two_configs_of_one_table_cannot_be_told_apart(sales, dataset, migrate, team) -> None:
    team.config("twin", bigquery_dataset_id=dataset, bigquery_table_id="sales")
    done = migrate("shadow", "sales", "--no-wait")
    assert (done.returncode, '"twin"' in done.stderr) == (1, True)
    assert is_untouched(team, dataset)


def test_a_config_whose_runs_do_not_replace_is_told_that_promote_will_refuse(sales, migrate, sql) -> None:
    sql('UPDATE sheet_to_bigquery_configs SET options = \'{"load_mode": "append"}\'')
    done = migrate("shadow", "sales", "--dry-run")
    assert (done.returncode, "options.load_mode is append" in done.stderr) == (0, True), done.stderr


def test_a_dataset_in_another_place_is_refused_with_both_places(sales, dataset, migrate, team) -> None:
    misplaced = bigquery.Dataset(f"{PROJECT}.{dataset}_shadow")
    misplaced.location = "US"
    team.warehouse.create_dataset(misplaced)
    done = migrate("shadow", "sales", "--no-wait")
    assert (done.returncode, "is in US" in done.stderr, "in EU" in done.stderr) == (1, True, True)
    assert (team.owners(), team.runs()) == ({"sales": "service"}, [])


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("POST", r"/datasets($|\?)", "roles/bigquery.user"),
        ("GET", r"_shadow($|\?)", "roles/bigquery.dataOwner"),
        ("GET", r"/tables/", "roles/bigquery.dataViewer"),
    ],
)
def test_without_a_permission_nothing_changes_and_the_role_is_told(
    method, path, role, sales, dataset, migrate, team, cloud
) -> None:
    with refusing(cloud["BIGQUERY_EMULATOR_HOST"], method, path) as door:
        done = migrate("shadow", "sales", "--no-wait", BIGQUERY_EMULATOR_HOST=door)
    assert (done.returncode, "PermissionMissing" in done.stderr, role in done.stderr) == (1, True, True)
    assert is_untouched(team, dataset)


def test_a_dataset_that_was_made_goes_again_where_the_next_is_refused(sales, dataset, migrate, team, cloud) -> None:
    elsewhere = bigquery.Dataset(f"forbidden-project.{dataset}")
    elsewhere.location = "US"
    team.warehouse.create_dataset(elsewhere)
    schema = [bigquery.SchemaField("n", "STRING")]
    team.warehouse.create_table(bigquery.Table(f"forbidden-project.{dataset}.stock", schema))
    team.config("stock", google_cloud_project_id="forbidden-project", bigquery_dataset_id=dataset)
    with refusing(cloud["BIGQUERY_EMULATOR_HOST"], "POST", "/projects/forbidden-project/datasets") as door:
        done = migrate("shadow", "sales", "stock", "--no-wait", BIGQUERY_EMULATOR_HOST=door)
    assert (done.returncode, "roles/bigquery.user" in done.stderr) == (1, True)
    assert is_untouched(team, dataset)


@pytest.mark.parametrize("point", ["migrate.after_dataset", "migrate.after_mark", "migrate.after_record"])
def test_whoever_is_killed_calls_it_again_and_it_ends_in_the_same_state(point, sales, dataset, migrate, team) -> None:
    migrate("shadow", "sales", "--no-wait", die_at=point)
    assert migrate("shadow", "sales", "--no-wait").returncode == 0
    assert shadow_of(team, dataset) is not None
    assert team.owners() == {"sales": "shadow"}
    assert team.runs() == [("shadow", "queued")]
    assert len(team.changes()) == 1


def test_the_guides_sql_marks_a_shadow_just_as_well(sales, dataset, migrate, team) -> None:
    team.mark(sales, "shadow")
    assert migrate("shadow", "sales", "--no-wait").returncode == 0
    assert shadow_of(team, dataset) is not None
    assert team.runs() == [("shadow", "queued")]
