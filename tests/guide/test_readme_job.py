"""README-JOB.md, walked by who operates the job; and its table of errors, compared with the errors that there are."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pg8000.native
import pytest

import commands
import console
import job
import shared
from local.environment import PROJECT, REGION
from local.ports import HOST
from local.sample_files import SAMPLES
from local.system import System
from shared.errors import SyncError
from tests.deploy.cloud import Cloud
from tests.deploy.linter import lint
from tests.deploy.serving import served
from tests.e2e.conftest import DATASET, Team
from tests.guide.blocks import REPOSITORY, read_blocks
from tests.guide.older_service import add_older_service
from tests.guide.reader import Reader, apply_migrations

DOCUMENT = "README-JOB.md"
# What `runs` shows in an error's place where a person ended the run.
NO_ERRORS = frozenset({"Cancelled"})


@pytest.fixture
def operating(team: Team, system: System) -> Iterator[dict[str, str]]:
    """A system in use, with a config that is well and one that fails: the names that the document has for others."""
    names = {name: team.unique(name) for name in ("sales", "stock", "prices")}
    for name in ("sales", "stock"):
        (system.samples / f"{names[name]}.xlsx").write_bytes((SAMPLES / "inventory.xlsx").read_bytes())
    well = team.add_config(names["sales"], run_frequency_hours=0)
    failing = team.add_config(team.unique("failing"), spreadsheet=names["sales"], tab="Nowhere", run_frequency_hours=0)
    for config_id in (well, failing):
        team.publish({"config_id": config_id})
    team.wait_for_runs(well, failing)
    superuser = pg8000.native.Connection(
        "postgres",
        host=HOST,
        port=int(system.settings["POSTGRES_PORT"]),
        database=system.settings["POSTGRES_DB"],
        password=system.settings["POSTGRES_PASSWORD"],
    )
    superuser.run("CREATE ROLE sync")
    yield names
    superuser.run("DROP OWNED BY sync; DROP ROLE sync; DROP VIEW IF EXISTS active_job_configs")
    superuser.run("ALTER TABLE sheet_to_bigquery_configs ALTER COLUMN name TYPE varchar(255)")
    # What the document adds would be due in other tests.
    superuser.run("DELETE FROM sheet_to_bigquery_configs WHERE name = ANY(:names)", names=list(names.values()))
    superuser.close()
    apply_migrations(system)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with served(tmp_path / "cloud", project=PROJECT) as cloud:
        add_older_service(cloud)
        yield cloud


@pytest.fixture
def reader(operating: dict[str, str], system: System, cloud: Cloud, tmp_path: Path) -> Reader:
    """Somebody with the settings in the terminal, who has deployed as the migration guide says."""
    postgres = {name: value for name, value in system.settings.items() if name.startswith("POSTGRES_")}
    words = {
        "your-postgres-host": postgres["POSTGRES_HOST"],
        "your-database": postgres["POSTGRES_DB"],
        "your-username": postgres["POSTGRES_USER"],
        "your-spreadsheet": operating["stock"],
        "your-project": PROJECT,
        "your_dataset": DATASET,
        **operating,
    }
    variables = {"GOOGLE_CLOUD_PROJECT": PROJECT, "REGION": REGION, **postgres}
    reader = Reader(tmp_path, system, words, cloud, variables)
    reader.follow_all([each for each in read_blocks("MIGRATION_GUIDE.md") if each.section == "Step 3: deploy"])
    return reader


def test_every_block_works_in_its_order(reader: Reader, cloud: Cloud) -> None:
    reader.follow_all(read_blocks(DOCUMENT))
    assert lint(reader.asked_gcloud) == []
    dispatch = cloud.resources("functions")["sheettobigquery-orchestrator"]
    assert dispatch["serviceConfig"]["secretEnvironmentVariables"]["slack_accessToken"] == "slack-token:latest"


def error_rows() -> dict[str, str]:
    """By an error's name what the table says under "again"."""
    text = (REPOSITORY / DOCUMENT).read_text()
    _, table = text.split("| error class | means | again | do |\n|---|---|---|---|\n")
    rows = [line.split(" | ") for line in table.partition("\n\n")[0].splitlines()]
    named = [(name, again) for first, _means, again, _do in rows for name in re.findall(r"`(\w+)`", first)]
    assert len(dict(named)) == len(named), "an error is told twice"
    return dict(named)


def error_classes() -> dict[str, type[SyncError]]:
    """Every error of the product, by the name that the ledger and the logs have for it."""
    for package in (shared, job, commands, console):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found: dict[str, type[SyncError]] = {}
    waiting = list(SyncError.__subclasses__())
    while waiting:
        each = waiting.pop()
        found[each.__name__] = each
        waiting += each.__subclasses__()
    return found


def test_the_table_of_errors_has_every_class_and_no_other() -> None:
    assert set(error_rows()) - NO_ERRORS == set(error_classes())


def test_the_table_says_of_each_class_whether_it_is_tried_again() -> None:
    rows = error_rows()
    said = {name: rows[name] != "no" for name in error_classes()}
    assert said == {name: each.retryable for name, each in error_classes().items()}
