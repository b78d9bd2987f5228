"""`job_orchestrator.py` as people and cron call it; what needs the whole system is among the end-to-end tests."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.integration.commands.conftest import REPOSITORY


@pytest.fixture
def flags(postgres_settings: dict[str, str]) -> list[str]:
    """The guide's flags for the test's database."""
    names = {"host": "HOST", "db": "DB", "user": "USER", "port": "PORT", "password": "PASSWORD"}
    return [f"--postgres-{flag}={postgres_settings[f'POSTGRES_{name}']}" for flag, name in names.items()]


@pytest.fixture
def no_database(cloud: dict[str, str]) -> dict[str, str]:
    """An environment that lacks what flags and files give."""
    return cloud | {"POSTGRES_SSLMODE": "disable"}


def test_a_dry_run_tells_what_would_run_and_why_the_rest_would_not(orchestrator, sql, add_config) -> None:
    add_config("due")
    add_config("asleep", is_active=False)
    add_config("negative", run_frequency_hours=-1)
    done = orchestrator("--dry-run")
    assert done.returncode == 0, done.stderr
    lines = {line.split()[1]: line for line in done.stdout.splitlines()[2:]}
    assert "would run (schedule)" in lines["due"]
    assert "is_active = true" in lines["asleep"]
    assert "run_frequency_hours" in lines["negative"]
    assert not list(sql("SELECT id FROM sheet_to_bigquery_runs"))


def test_machines_get_a_dry_run_as_the_function_answers_it_and_errors_too(orchestrator, cloud, add_config) -> None:
    add_config("due")
    done = orchestrator("--dry-run", "--json")
    told = json.loads(done.stdout)
    assert ([each["name"] for each in told["dispatched"]["due"]], told["runs"]) == (["due"], [])
    refused = orchestrator("--dry-run", "--json", env=cloud)
    assert refused.returncode == 2
    error = json.loads(refused.stdout)["error"]
    assert (error["class"], "POSTGRES_DB" in error["message"]) == ("InvalidSettings", True)


def test_the_guides_flags_are_enough_of_a_database(orchestrator, no_database, flags, add_config) -> None:
    add_config("due")
    done = orchestrator(*flags, "--dry-run", env=no_database)
    assert done.returncode == 0, done.stderr
    assert "1 would run" in done.stdout


def test_flags_go_before_the_file_and_the_file_before_the_environment(
    orchestrator, no_database, postgres_settings, add_config, tmp_path
) -> None:
    add_config("due")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(postgres_settings | {"POSTGRES_DB": "the_files", "POSTGRES_PORT": 9}))
    flags = [f"--postgres-{name}={postgres_settings[f'POSTGRES_{name.upper()}']}" for name in ("db", "port")]
    env = no_database | {"POSTGRES_USER": "the_environments", "POSTGRES_HOST": "192.0.2.1"}
    done = orchestrator("--config-file", str(path), *flags, "--dry-run", env=env)
    assert done.returncode == 0, done.stderr
    assert "1 would run" in done.stdout


def test_a_file_may_be_yaml_as_orchestrator_env_is(
    orchestrator, cloud, postgres_settings, add_config, tmp_path
) -> None:
    add_config("due")
    path = tmp_path / "orchestrator-env.yaml"
    path.write_text("# the database\n" + "".join(f"{name}: '{value}'\n" for name, value in postgres_settings.items()))
    done = orchestrator("--config-file", str(path), "--dry-run", env=cloud)
    assert done.returncode == 0, done.stderr
    assert "1 would run" in done.stdout


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="the guide's cron line names /usr/bin/python3")
def test_the_guides_cron_line_works_with_nothing_but_its_file(postgres_settings, add_config, tmp_path) -> None:
    add_config("due")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(postgres_settings | {"GOOGLE_CLOUD_PROJECT": "local-project"}))
    # cron's own environment and folder.
    env = {"HOME": str(tmp_path), "LOGNAME": "root", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    command = ["/usr/bin/python3", f"{REPOSITORY}/job_orchestrator.py", "--config-file", str(path), "--dry-run"]
    done = subprocess.run(
        ["/bin/sh", "-c", shlex.join(command)],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 would run" in done.stdout


def test_nothing_due_is_no_failure(orchestrator) -> None:
    done = orchestrator()
    assert done.returncode == 0, done.stderr
    assert "nothing is due" in done.stdout


def test_a_name_that_no_config_has_is_a_failure_that_names_it(orchestrator) -> None:
    done = orchestrator("--dry-run", "--config-names", "nobody")
    assert done.returncode == 1
    assert '"nobody"' in done.stderr


@pytest.mark.parametrize(
    "content", ['{"POSTGRES_HOST": ["a"]}', "[1]", "POSTGRES_PASSWORD hunter2", "A:\n  B: hunter2"]
)
def test_a_malformed_settings_file_is_named_without_what_it_holds(content, orchestrator, tmp_path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(content)
    done = orchestrator("--config-file", str(path))
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert "hunter2" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_password_is_told_without_it(orchestrator) -> None:
    done = orchestrator("--postgres-password=hunter2", "--dry-run")
    assert done.returncode == 1
    assert "DatabaseUnavailable" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_missing_settings_are_named_and_exit_2(orchestrator) -> None:
    done = orchestrator(env={})
    assert done.returncode == 2
    assert "GOOGLE_CLOUD_PROJECT is missing" in done.stderr


def test_help_tells_of_the_better_way_to_give_a_password(orchestrator) -> None:
    told = orchestrator("--help", env={}).stdout
    assert "POSTGRES_PASSWORD" in told
    assert "`ps`" in told
