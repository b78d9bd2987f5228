"""An execution for a plan: what it is told, so that no job, of whichever version, loads anything for it."""

import pytest

from shared.config import parse_config
from shared.errors import InvalidSettings
from shared.planning import environment
from shared.settings import read_job_settings, read_settings

PLAN_ID = "7b6d2f0e-58a5-4a6e-9b7c-3f8a12345678"
ROW = {
    "id": 7,
    "name": "sales",
    "google_sheet_url": "https://docs.google.com/spreadsheets/d/abcdefghij/edit",
    "google_cloud_project_id": "test-project",
    "bigquery_dataset_id": "reports",
    "bigquery_table_id": "sales",
    "options": {"skip_unchanged": True, "parity": True},
}
# A deployment may give its job a config, and more, for executions by hand.
OF_THE_JOB = {
    "GOOGLE_SHEET_URL": "https://docs.google.com/spreadsheets/d/klmnopqrst/edit",
    "GOOGLE_CLOUD_PROJECT_ID": "test-project",
    "BIGQUERY_DATASET_ID": "reports",
    "BIGQUERY_TABLE_ID": "by_hand",
    "SCHEMA_HANDLING": "auto_detect",
    "CLOUD_RUN_EXECUTION": "job-abc",
}


def told() -> dict[str, str]:
    return environment(PLAN_ID, parse_config(ROW), read_settings({"GOOGLE_CLOUD_PROJECT": "test-project"}))


def test_the_job_reads_which_plan_it_is_for_and_no_run() -> None:
    settings = read_job_settings(OF_THE_JOB | told())
    assert settings.plan is not None
    assert (settings.plan.plan_id, settings.run) == (PLAN_ID, None)
    assert settings.plan.completion_topic == "projects/test-project/topics/sheet-to-bigquery-completions"
    assert settings.config.destination == "test-project.reports.sales"
    assert settings.config.schema_handling == "string"  # parity, as its run would be told


def test_a_job_that_knows_no_plans_refuses_to_start_instead_of_loading_by_hand() -> None:
    unknown = {name: value for name, value in (OF_THE_JOB | told()).items() if name != "PLAN_ID"}
    with pytest.raises(InvalidSettings, match="RUN_ID is not a UUID"):
        read_job_settings(unknown)


def test_what_was_started_for_a_plan_is_no_run_whatever_else_is_said() -> None:
    of_a_run = {"RUN_ID": PLAN_ID, "RUN_ATTEMPT": "1"}
    settings = read_job_settings(told() | of_a_run)
    assert (settings.run, settings.plan is not None) == (None, True)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"PLAN_ID": "secret"}, "PLAN_ID is not a UUID"),
        ({"COMPLETION_TOPIC": ""}, "COMPLETION_TOPIC is missing"),
        ({"BIGQUERY_JOB_PROJECT": " "}, "BIGQUERY_JOB_PROJECT is missing"),
    ],
)
def test_a_plan_that_could_not_be_told_is_refused_at_the_start(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidSettings, match=problem) as caught:
        read_job_settings(told() | changes)
    assert "secret" not in str(caught.value)
