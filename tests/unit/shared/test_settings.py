"""The environment: blank is unset, and one error names every variable that is missing or malformed."""

import pytest

from shared.column import Column
from shared.errors import InvalidSettings
from shared.settings import read_database, read_deployment, read_endpoints, read_job_settings, read_settings

DATABASE = {
    "POSTGRES_DB": "sheets",
    "POSTGRES_USER": "sync",
    "POSTGRES_HOST": "10.0.0.5",
    "POSTGRES_PASSWORD": "hunter2",
}
GUIDE = {
    "GOOGLE_SHEET_URL": "https://docs.google.com/spreadsheets/d/1A2b3C4d5E6f7G8h9I0j/edit",
    "GOOGLE_CLOUD_PROJECT_ID": "test-project",
    "BIGQUERY_DATASET_ID": "reports",
    "BIGQUERY_TABLE_ID": "sales",
}
RUN = {
    "RUN_ID": "7b6d2f0e-58a5-4a6e-9b7c-3f8a12345678",
    "RUN_ATTEMPT": "2",
    "BIGQUERY_JOB_PROJECT": "billing-project",
    "BIGQUERY_LOCATION": "EU",
    "COMPLETION_TOPIC": "projects/test-project/topics/completions",
}


def test_one_variable_is_enough_for_the_functions() -> None:
    settings = read_settings({"GOOGLE_CLOUD_PROJECT": "test-project"})
    assert settings.job_project == "test-project"
    assert settings.job == "projects/test-project/locations/us-central1/jobs/sheettobigquery-job"
    assert settings.topic("requests") == "projects/test-project/topics/requests"
    assert settings.topic("projects/other/topics/requests") == "projects/other/topics/requests"


def test_every_missing_and_malformed_setting_is_in_one_error() -> None:
    with pytest.raises(InvalidSettings) as caught:
        read_settings({"MAX_RUNNING": "0", "LEASE_SECONDS": "soon", "BIGQUERY_JOB_PROJECT": "My Project"})
    assert str(caught.value) == (
        "the environment: GOOGLE_CLOUD_PROJECT is missing; MAX_RUNNING is text of 1 characters, not a whole number from"
        " 1 to 1000000; LEASE_SECONDS is text of 4 characters, not a whole number from 1 to 604800;"
        " BIGQUERY_JOB_PROJECT is text of 10 characters, not a project id"
        " (6 to 30 lower-case letters, digits and hyphens): README.md has the table of settings"
    )


@pytest.mark.parametrize("name", ["MAX_RUNNING", "SHEETS_READS_PER_MINUTE", "RETRY_SECONDS", "RUN_TIMEOUT_SECONDS"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "99999999999999999999"])
def test_an_amount_is_a_positive_number_that_a_deployment_can_mean(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=f"{name} is text of"):
        read_settings({"GOOGLE_CLOUD_PROJECT": "test-project", name: value})


def test_the_database_names_all_that_is_missing() -> None:
    with pytest.raises(InvalidSettings) as caught:
        read_database({})
    for name in ("POSTGRES_DB", "POSTGRES_USER", "POSTGRES_HOST", "CLOUD_SQL_INSTANCE"):
        assert name in str(caught.value)


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_variable_is_unset(blank: str) -> None:
    assert read_database(DATABASE | {"POSTGRES_PORT": blank}).postgres_port == 5432
    with pytest.raises(InvalidSettings, match="POSTGRES_HOST is missing"):
        read_database(DATABASE | {"POSTGRES_HOST": blank})


def test_a_cloud_sql_instance_stands_for_the_host() -> None:
    database = read_database({"POSTGRES_DB": "a", "POSTGRES_USER": "b", "CLOUD_SQL_INSTANCE": "p:r:i"})
    assert (database.postgres_host, database.postgres_password) == (None, None)


@pytest.mark.parametrize("port", ["0", "65536", "-5432", "http", "5432;", "5432.5"])
def test_a_port_is_a_port(port: str) -> None:
    with pytest.raises(InvalidSettings, match=r"POSTGRES_PORT is text .*, not a whole number from 1 to 65535"):
        read_database(DATABASE | {"POSTGRES_PORT": port})


def test_a_line_break_behind_a_value_is_none_of_it_and_a_passwords_spaces_are() -> None:
    database = read_database(DATABASE | {"POSTGRES_PORT": "6432\n", "POSTGRES_PASSWORD": " hunter2 \r\n"})
    assert (database.postgres_port, database.postgres_password) == (6432, " hunter2 ")


def test_a_password_in_any_variable_is_in_no_error() -> None:
    with pytest.raises(InvalidSettings) as caught:
        read_database({"POSTGRES_PASSWORD": "hunter2", "POSTGRES_SSLMODE": "hunter2", "POSTGRES_PORT": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "POSTGRES_SSLMODE is text of 7 characters, not one of disable, require, verify-full" in str(caught.value)


@pytest.mark.parametrize("name", [".configs", "public.", "a..b", "."])
def test_the_configs_table_has_a_name(name: str) -> None:
    with pytest.raises(InvalidSettings, match="CONFIGS_TABLE is not a table's name"):
        read_database(DATABASE | {"CONFIGS_TABLE": name})


def test_endpoints_are_unset_by_default() -> None:
    assert not any(getattr(read_endpoints({}), name) for name in read_endpoints({}).__struct_fields__)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHEETS_API_ENDPOINT", "127.0.0.1:9050"),
        ("SHEETS_API_ENDPOINT", "http://"),
        ("DRIVE_API_ENDPOINT", "http://[::1"),
        ("RUN_API_ENDPOINT", "ftp://127.0.0.1"),
        ("RUN_API_ENDPOINT", "http://127.0.0.1:99999"),
        ("BIGQUERY_EMULATOR_HOST", "127.0.0.1:9050"),
        ("PUBSUB_EMULATOR_HOST", "http://127.0.0.1:8085"),
    ],
)
def test_an_endpoint_that_no_client_can_call_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=f"{name} is"):
        read_endpoints({name: value})


def test_the_guides_variables_alone_run_the_job_by_hand() -> None:
    settings = read_job_settings(GUIDE)
    assert settings.run is None
    assert (settings.config.name, settings.config.id, settings.bigquery_location) == ("sales", None, "US")


def test_launchs_variables_tell_the_run_and_its_attempt() -> None:
    schema = '[{"name": "id", "type": "INTEGER"}]'
    settings = read_job_settings(
        GUIDE | RUN | {"CONFIG_ID": "7", "CONFIG_NAME": "Sales", "SCHEMA_HANDLING": "custom", "CUSTOM_SCHEMA": schema}
    )
    assert (settings.config.id, settings.config.name) == (7, "Sales")
    assert settings.config.custom_schema == (Column("id", "INT64"),)
    assert settings.run is not None
    assert (settings.run.run_attempt, settings.run.bigquery_location) == (2, "EU")


def test_the_job_names_every_variable_as_the_person_wrote_it() -> None:
    with pytest.raises(InvalidSettings) as caught:
        read_job_settings(
            {
                "CONFIG_ID": "seven",
                "GOOGLE_SHEET_URL": "https://example.com",
                "SCHEMA_HANDLING": "custom",
                "CUSTOM_SCHEMA": "[1]",
                "RUN_ID": "7",
                "CLOUD_RUN_TASK_ATTEMPT": "first",
                "SHEETS_API_ENDPOINT": "nowhere",
                "BIGQUERY_LOCATION": " ",
            }
        )
    told = str(caught.value)
    assert told.startswith("the job's environment: ")
    for problem in (
        "CONFIG_ID is text of 5 characters, not a whole number",
        "GOOGLE_SHEET_URL cannot be used",
        "GOOGLE_CLOUD_PROJECT_ID is missing",
        "BIGQUERY_DATASET_ID is missing",
        "BIGQUERY_TABLE_ID is missing",
        "CUSTOM_SCHEMA column 1: it is a number",
        "RUN_ID is not a UUID",
        "RUN_ATTEMPT is missing",
        "COMPLETION_TOPIC is missing",
        "CLOUD_RUN_TASK_ATTEMPT is text of 5 characters",
        "SHEETS_API_ENDPOINT is not an address",
        "BIGQUERY_LOCATION is missing",
    ):
        assert problem in told
    assert "bigquery_" not in told


def test_a_blank_config_in_the_environment_names_variables_that_exist() -> None:
    with pytest.raises(InvalidSettings) as caught:
        read_job_settings({})
    assert "CONFIG_NAME" not in str(caught.value)
    assert str(caught.value).count("is missing") == 4


def test_one_error_names_what_is_wrong_with_settings_database_and_endpoints_together() -> None:
    with pytest.raises(InvalidSettings) as error:
        read_deployment({"POSTGRES_PORT": "soon", "RUN_API_ENDPOINT": "nowhere"})
    for name in ("GOOGLE_CLOUD_PROJECT", "POSTGRES_DB", "POSTGRES_PORT", "RUN_API_ENDPOINT"):
        assert name in str(error.value)


DEPLOYED = {"GOOGLE_CLOUD_PROJECT": "test-project", "POSTGRES_DB": "d", "POSTGRES_USER": "u", "POSTGRES_HOST": "h"}


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/x?key=y", "http://127.0.0.1:8080/", "http://localhost/x", "http://[::1]:9/"]
)
def test_a_webhook_is_https_or_on_this_machine(url: str) -> None:
    *_, notifying = read_deployment(DEPLOYED | {"NOTIFY_WEBHOOK_URL": url})
    assert notifying.notify_webhook_url == url


@pytest.mark.parametrize("name", ["NOTIFY_WEBHOOK_URL", "SLACK_API_ENDPOINT"])
@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/s3cret",
        "http://127.0.0.1.example.com/s3cret",
        "http://localhost@example.com/s3cret",
        "ftp://127.0.0.1/s3cret",
        "https://hooks.example.com/s3cret with a space",
        "https://hooks.example.com/s3crét",
        "s3cret",
    ],
)
def test_another_address_for_notices_is_refused_without_being_quoted(name: str, url: str) -> None:
    with pytest.raises(InvalidSettings, match=name) as caught:
        read_deployment(DEPLOYED | {name: url})
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize("token", ["xoxb-s3cret\r\nX-Evil: 1", "xoxb s3cret", "xoxb-s3crét"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_quoted(token: str) -> None:
    with pytest.raises(InvalidSettings, match="slack_accessToken") as caught:
        read_deployment(DEPLOYED | {"slack_accessToken": token})
    assert "s3cr" not in str(caught.value)


def test_nobody_is_told_anything_unless_a_setting_says_so() -> None:
    settings, _, notifying = read_deployment(DEPLOYED)
    assert (notifying.slack_token, notifying.slack_channel, notifying.notify_webhook_url) == (None, "dev_alerts", None)
    assert (settings.notify_success, settings.pause_after_failures) == (False, 10)


def test_the_older_services_token_is_read_by_its_name() -> None:
    *_, notifying = read_deployment(DEPLOYED | {"slack_accessToken": "xoxb-1\n", "SLACK_CHANNEL": "loads"})
    assert (notifying.slack_token, notifying.slack_channel) == ("xoxb-1", "loads")


@pytest.mark.parametrize("suffix", ["-shadow", ".other", "ö", "x" * 101])
def test_a_shadow_dataset_has_to_have_a_datasets_name(suffix: str) -> None:
    assert read_settings({"GOOGLE_CLOUD_PROJECT": "test-project"}).shadow_suffix == "_shadow"
    with pytest.raises(InvalidSettings, match=r"SHADOW_SUFFIX is .*, not letters, digits and _"):
        read_settings({"GOOGLE_CLOUD_PROJECT": "test-project", "SHADOW_SUFFIX": suffix})


@pytest.mark.parametrize(
    "url", ["https://service-x-uc.a.run.app", "https://service-x-uc.a.run.app/", "http://127.0.0.1:8080"]
)
def test_the_older_service_is_called_with_https_or_on_this_machine(url: str) -> None:
    assert read_settings({"GOOGLE_CLOUD_PROJECT": "test-project", "SERVICE_URL": url}).service_url == url


@pytest.mark.parametrize(
    "url", ["http://service.example", "service.example", "https://service.example/sheet-to-bigquery", "https://x?y=z"]
)
def test_an_address_that_is_not_a_services_alone_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings, match="SERVICE_URL is not a service's address alone"):
        read_settings({"GOOGLE_CLOUD_PROJECT": "test-project", "SERVICE_URL": url})


@pytest.mark.parametrize("seconds", ["0", "3601", "long"])
def test_the_older_service_has_as_long_as_cloud_run_gives_a_request(seconds: str) -> None:
    with pytest.raises(InvalidSettings, match="SERVICE_TIMEOUT_SECONDS is text of"):
        read_settings({"GOOGLE_CLOUD_PROJECT": "test-project", "SERVICE_TIMEOUT_SECONDS": seconds})
