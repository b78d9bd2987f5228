"""The commands as people and cron start them: processes of their own, with an environment and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from local.component import wait_until_ready
from local.ports import HOST
from shared.settings import Database
from tests.integration.databases import settings_of
from tests.integration.servers import server

REPOSITORY = Path(__file__).parents[3]
PROJECT = "local-project"
PARENT = f"projects/{PROJECT}/locations/us-central1/jobs"
SPREADSHEET = "Sales-by-Quarter"
URL = f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit"
# What the deployed jobs do instead of reading a sheet: how Cloud Run shows each is what the commands are about.
JOBS = {
    "ends-at-once": "pass",
    "crashes": "raise SystemExit(7)",
    "fails": "print('{}'); raise SystemExit('Job execution failed: TabNotFound: there is no tab')",
    "sleeps": "import time; time.sleep(300)",
}
CONFIG = {
    "name": "by_hand",
    "google_sheet_url": URL,
    "google_cloud_project_id": PROJECT,
    "bigquery_dataset_id": "reports",
    "bigquery_table_id": "by_hand",
    "schema_handling": "auto_detect",
}

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Cloud Run with four jobs, and Sheets with one spreadsheet, as the endpoint settings."""
    folder = tmp_path_factory.mktemp("servers")
    run = server("run", folder, ["--data", str(folder / "run"), *_job_files(folder)])
    sheets = server("sheets", folder, ["--folder", str(_spreadsheets(folder))])
    components = [run, sheets]
    for each in components:
        each.start()
    try:
        wait_until_ready(components, seconds=30)
        yield {
            "RUN_API_ENDPOINT": run.address,
            "SHEETS_API_ENDPOINT": sheets.address,
            "DRIVE_API_ENDPOINT": sheets.address,
            # Nobody: so that whoever asks it without need is found out.
            "BIGQUERY_EMULATOR_HOST": f"http://{HOST}:9",
        }
    finally:
        for each in components:
            each.stop()


@pytest.fixture
def cloud(servers: dict[str, str]) -> dict[str, str]:
    """The settings without a database's."""
    return {
        **servers,
        "PATH": os.environ["PATH"],
        "NO_GCE_CHECK": "true",  # anonymous, without asking a metadata server first
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "JOB_NAME": "ends-at-once",
    }


@pytest.fixture
def postgres_settings(migrated: Database) -> dict[str, str]:
    """How the test's own database is reached."""
    return settings_of(migrated)


@pytest.fixture
def environment(cloud: dict[str, str], postgres_settings: dict[str, str]) -> dict[str, str]:
    """All the settings."""
    return {**cloud, **postgres_settings}


@pytest.fixture
def helper(environment: dict[str, str], tmp_path: Path) -> Command:
    """Runs `job_helper.py` with the settings (or `env`) in a folder that is not the repository."""

    def run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return run_script("job_helper.py", arguments, environment if env is None else env, tmp_path)

    return run


@pytest.fixture
def orchestrator(environment: dict[str, str], tmp_path: Path) -> Command:
    """Runs `job_orchestrator.py` in the same way."""

    def run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return run_script("job_orchestrator.py", arguments, environment if env is None else env, tmp_path)

    return run


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[..., str]:
    """Writes a config file and gives its path; a value of None leaves the field out."""

    def write(**changes: Any) -> str:
        path = tmp_path / "test_config.json"
        path.write_text(json.dumps({key: value for key, value in (CONFIG | changes).items() if value is not None}))
        return str(path)

    return write


def run_script(
    script: str, arguments: tuple[str, ...], env: Mapping[str, str], cwd: Path
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / script), *arguments]
    return subprocess.run(
        command,
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _job_files(folder: Path) -> list[str]:
    options = []
    for name, script in JOBS.items():
        path = folder / f"{name}.json"
        command = [sys.executable, "-c", script]
        path.write_text(
            json.dumps({"name": f"{PARENT}/{name}", "command": command, "cwd": str(folder), "maxRetries": 0})
        )
        options += ["--job-file", str(path)]
    return options


def _spreadsheets(folder: Path) -> Path:
    path = folder / "spreadsheets"
    path.mkdir()
    with xlsxwriter.Workbook(path / f"{SPREADSHEET}.xlsx") as workbook:
        workbook.add_worksheet("Q4 Sales").write_row(0, 0, ["id", "amount"])
    return path
