"""`job_helper.py plan`: tells what a run then does, and leaves everything as it is."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import xlsxwriter
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.environment import PROJECT
from local.pubsub import COMPLETIONS, REQUESTS
from local.system import REPOSITORY, System
from tests.e2e.conftest import DATASET, Team

ROWS = [["id", "amount"], [1, 2.5], [2, 3.5]]
INTEGERS = json.dumps([{"name": "amount", "type": "INT64", "mode": "REQUIRED", "description": "euros"}])
Plan = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def plan(system: System, tmp_path: Path) -> Plan:
    """Runs `job_helper.py plan` against the system, without the settings that are named."""

    def run(*arguments: str, without: str = "nothing", **extra: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in system.environment.items() if not name.startswith(without)}
        return subprocess.run(
            [sys.executable, str(REPOSITORY / "job_helper.py"), "plan", *arguments],
            env={**kept, **extra},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def planned(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return dict(json.loads(done.stdout))


def write_file(folder: Path, spreadsheet: str, **changes: Any) -> str:
    config = {
        "name": spreadsheet,
        "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{spreadsheet}/edit",
        "google_cloud_project_id": PROJECT,
        "bigquery_dataset_id": DATASET,
        "bigquery_table_id": spreadsheet,
        "schema_handling": "auto_detect",
    }
    path = folder / "test_config.json"
    path.write_text(json.dumps(config | changes))
    return str(path)


def run_now(team: Team, config_id: int) -> Any:
    """One run of the config by hand, ended."""
    before = len(team.runs(config_id))
    team.publish({"config_id": config_id})
    return team.wait_for_runs(config_id, count=before + 1)[-1]


def test_a_plan_tells_the_names_types_and_rows_that_the_run_then_loads(team: Team, plan: Plan) -> None:
    name = team.unique("told")
    header = ["Order ID", "Paid?", "Note", "note", ""]
    team.write_sheet(name, [header, ["007", True, "a", 1, None], [], ["008", None, "b", 2.5, "x"]])
    config_id = team.add_config(name, run_frequency_hours=0)
    told = planned(plan(str(config_id), "--json"))
    columns = {each["name"]: each for each in told["sheet"]["columns"]}
    assert [(each["header"], each["type"], each["filled"]) for each in columns.values()] == [
        ("Order ID", "STRING", 2),
        ("Paid?", "BOOL", 1),
        ("Note", "STRING", 2),
        ("note", "FLOAT64", 2),
        ("", "STRING", 1),
    ]
    assert columns["order_id"]["samples"] == ["007", "008"]
    assert "1 blank row between others left out" in told["sheet"]["notices"]
    sheet = f"https://docs.google.com/spreadsheets/d/{name}/edit#gid=0&range="
    assert told["sheet"]["notices"][1:] == [
        f"1 header has no letters and digits: Sheet1!E1 ({sheet}E1)",
        f"1 header makes a name that is taken, and got a number behind it: Sheet1!D1 ({sheet}D1)",
    ]
    assert told["change"]["effect"].startswith("creates")
    assert told["schedule"].startswith("manual only")

    run = run_now(team, config_id)
    assert run.state == "succeeded"
    ((warnings,),) = team.clients.postgres.run("SELECT warnings FROM sheet_to_bigquery_runs WHERE id = :id", id=run.id)
    assert warnings == told["sheet"]["notices"]
    assert team.types(name) == {key: each["type"] for key, each in columns.items()}
    assert len(team.table(name)) == told["sheet"]["rows"] == 2
    again = planned(plan(name, "--json"))["change"]
    assert (again["effect"], again["rows"], again["schema"]) == ("replaces it", 2, [])


def test_a_plan_tells_how_the_table_would_change(team: Team, plan: Plan) -> None:
    name = team.unique("changed")
    team.write_sheet(name, [["kept", "gone", "wider"], ["a", 1, 1]])
    config_id = team.add_config(name, run_frequency_hours=0)
    assert run_now(team, config_id).state == "succeeded"
    team.write_sheet(name, [["kept", "wider", "new"], ["a", 1.5, True], ["b", 2, False]])
    assert planned(plan(name, "--json"))["change"] == {
        "effect": "replaces it",
        "location": "US",
        "rows": 1,
        "after": 2,
        "left_out": [],
        "schema": [
            {"name": "wider", "before": "INT64 NULLABLE", "after": "FLOAT64 NULLABLE"},
            {"name": "new", "before": None, "after": "BOOL NULLABLE"},
            {"name": "gone", "before": "INT64 NULLABLE", "after": None},
        ],
    }
    out = plan(name).stdout
    assert "a run replaces it, rows 1 → 2" in out
    assert "~ wider INT64 NULLABLE → FLOAT64 NULLABLE" in out


def test_a_plan_does_not_promise_what_options_may_spare(team: Team, plan: Plan) -> None:
    name = team.unique("spared")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, run_frequency_hours=0, options='{"skip_unchanged": true, "on_empty": "keep"}')
    run_now(team, config_id)
    effect = planned(plan(str(config_id), "--json"))["change"]["effect"]
    assert effect == "replaces it, unless the last run brought this very content"
    empty = team.unique("spared")
    team.write_sheet(empty, ROWS[:1])
    config_id = team.add_config(empty, run_frequency_hours=0, options='{"on_empty": "keep"}')
    assert planned(plan(str(config_id), "--json"))["change"]["effect"] == "makes no table"


def test_violations_come_with_their_values_a_link_and_the_runs_own_error(team: Team, plan: Plan) -> None:
    name = team.unique("violated")
    team.write_sheet(name, [["id", "amount"], [1, 5], [2, "five and more"], [3, None]], tab="Q4 Sales")
    options = {"schema_handling": "custom", "custom_schema": INTEGERS, "run_frequency_hours": 0}
    config_id = team.add_config(name, **options)
    told = planned(plan(name, "--json"), code=1)
    assert [(each["cell"], each["shown"]) for each in told["sheet"]["cells"]] == [
        ("'Q4 Sales'!B3", "five and more"),
        ("'Q4 Sales'!B4", ""),
    ]
    link = told["sheet"]["cells"][0]["link"]
    assert link == f"https://docs.google.com/spreadsheets/d/{name}/edit#gid=0&range=B3"
    people = plan(name)
    assert link in people.stdout
    assert "five and more" in people.stdout

    run = run_now(team, config_id)
    assert run.state == "failed"
    assert run.error == told["errors"][0]["error"]
    assert told["errors"][0]["error_class"] == "SchemaViolated"
    assert "five" not in run.error


def test_a_described_column_is_still_told_with_its_header(team: Team, plan: Plan, tmp_path: Path) -> None:
    name = team.unique("described")
    team.write_sheet(name, [["id", "Amount"], [1, 5]])
    path = write_file(tmp_path, name, schema_handling="custom", custom_schema=json.loads(INTEGERS))
    (_, amount) = planned(plan("--config-file", path, "--json"))["sheet"]["columns"]
    assert (amount["header"], amount["name"], amount["mode"]) == ("Amount", "amount", "REQUIRED")


def test_error_cells_are_shown_as_the_sheet_shows_them(team: Team, plan: Plan, tmp_path: Path) -> None:
    name = team.unique("errors")
    with xlsxwriter.Workbook(team.system.samples / f"{name}.xlsx") as workbook:
        tab = workbook.add_worksheet("Budget")
        tab.write_row(0, 0, ["a", "b"])
        tab.write_row(1, 0, [1, 2])
        tab.write_formula(1, 1, "=1/0", None, "#DIV/0!")
    told = planned(plan("--config-file", write_file(tmp_path, name), "--json"))
    assert [(each["cell"], each["shown"]) for each in told["sheet"]["cells"]] == [("Budget!B2", "#DIV/0!")]
    assert told["errors"] == []


def test_text_as_the_older_service_loads_it_is_planned_as_text(team: Team, plan: Plan, tmp_path: Path) -> None:
    name = team.unique("as_text")
    team.write_sheet(name, [["a b", "a--b"], [1, True], [None, None], [2, None]])
    told = planned(plan("--config-file", write_file(tmp_path, name, schema_handling="string"), "--json"))["sheet"]
    assert [(each["name"], each["type"], each["samples"]) for each in told["columns"]] == [
        ("a_b", "STRING", ["1", "2"]),
        ("a__b", "STRING", ["TRUE"]),
    ]
    assert (told["rows"], told["notices"]) == (3, [])


def test_headers_that_are_refused_are_shown_with_a_link(team: Team, plan: Plan, tmp_path: Path) -> None:
    name = team.unique("refused")
    team.write_sheet(name, [["a b", "a-b"], [1, 2]])
    told = planned(plan("--config-file", write_file(tmp_path, name, schema_handling="string"), "--json"), code=1)
    assert [(each["cell"], each["shown"]) for each in told["sheet"]["cells"]] == [
        ("Sheet1!A1", "a b"),
        ("Sheet1!B1", "a-b"),
    ]


def test_a_renamed_tab_is_told_with_its_name_of_now(team: Team, plan: Plan, tmp_path: Path) -> None:
    name = team.unique("renamed")
    team.write_sheet(name, ROWS, tab="Of now")
    url = f"https://docs.google.com/spreadsheets/d/{name}/edit#gid=0"
    path = write_file(tmp_path, name, google_sheet_url=url, google_sheet_tab_name="Of then")
    out = plan("--config-file", path).stdout
    assert 'tab       "Of now": 2 rows, 2 columns' in out
    assert "the tab was renamed" in out


def test_a_plan_writes_nothing_anywhere(team: Team, plan: Plan) -> None:
    name = team.unique("untouched")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, bigquery_dataset_id=name)
    listening = _subscriptions(team)
    before = _state(team, config_id, name)
    told = planned(plan(str(config_id), "--json"))
    assert told["change"]["effect"] == "creates it and its dataset"
    assert told["next_due"] is not None
    assert _state(team, config_id, name) == before
    assert _heard(team, listening, name, config_id) == []


def _state(team: Team, config_id: int, dataset: str) -> list[Any]:
    """All that a plan could have left behind: a run, a changed config, a dataset, a load or a query of its own."""
    postgres, bigquery = team.clients.postgres, team.clients.bigquery
    return [
        postgres.run("SELECT to_jsonb(c)::text FROM sheet_to_bigquery_configs c WHERE id = :id", id=config_id),
        postgres.run("SELECT count(*) FROM sheet_to_bigquery_runs WHERE config_id = :id", id=config_id),
        [each.dataset_id for each in bigquery.list_datasets() if each.dataset_id == dataset],
        # Those with a run's label are of other tests' runs, which may still be settled.
        sorted(job.job_id for job in bigquery.list_jobs() if "run" not in (job.labels or {})),
    ]


def _subscriptions(team: Team) -> list[str]:
    """Subscriptions of the test's own to every topic there is."""
    name = team.unique("listening")
    return [
        _subscriber(team)
        .create_subscription(
            name=f"projects/{PROJECT}/subscriptions/{name}-{topic}", topic=f"projects/{PROJECT}/topics/{topic}"
        )
        .name
        for topic in (REQUESTS, COMPLETIONS)
    ]


def _heard(team: Team, subscriptions: list[str], name: str, config_id: int) -> list[bytes]:
    """Messages about the config."""
    heard = []
    for subscription in subscriptions:
        try:
            answer = _subscriber(team).pull(subscription=subscription, max_messages=100, timeout=1)
        except DeadlineExceeded:
            continue
        heard += [each.message.data for each in answer.received_messages]
    wanted = (name.encode(), f'"config_id":{config_id}'.encode())
    return [data for data in heard if any(each in data for each in wanted)]


def _subscriber(team: Team) -> SubscriberClient:
    channel = grpc.insecure_channel(team.system.settings["PUBSUB_EMULATOR_HOST"])
    return SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))


def test_a_file_needs_no_database(team: Team, plan: Plan, tmp_path: Path) -> None:
    name = team.unique("alone")
    team.write_sheet(name, ROWS)
    path = write_file(tmp_path, name)
    for done in (plan("--config-file", path, without="POSTGRES_"), plan("--config-file", path, POSTGRES_PORT="9")):
        assert done.returncode == 0, done.stderr
        assert "no database is configured, or it does not answer" in done.stdout
        assert "a run would succeed" in done.stdout
        assert "requests  " in done.stdout


def test_a_file_is_told_which_config_has_its_table(team: Team, plan: Plan, tmp_path: Path) -> None:
    name = team.unique("owned")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name)
    done = plan("--config-file", write_file(tmp_path, name))
    assert done.returncode == 0, done.stderr
    assert f'config {config_id} "{name}" replaces' in done.stdout


def test_a_paused_config_and_one_with_a_rival_would_not_be_run(team: Team, plan: Plan) -> None:
    name = team.unique("rivals")
    team.write_sheet(name, ROWS)
    ids = [team.add_config(name), team.add_config(f"{name} too", spreadsheet=name, bigquery_table_id=name)]
    told = planned(plan(str(ids[0]), "--json"), code=1)
    assert told["errors"][0]["error_class"] == "TableConflict"
    assert told["owners"] == [f'{ids[1]} "{name} too"']
    team.set_config(ids[0], is_active=False)
    told = planned(plan(str(ids[0]), "--json"), code=1)
    assert told["errors"][0]["error_class"] == "NotOurs"
    assert told["sheet"]["rows"] == 2  # the person still sees what there is
    assert planned(plan(str(ids[1]), "--json"))["owners"] == []
    team.set_config(ids[1], is_active=False)


def test_a_view_in_the_tables_place_is_refused_as_the_load_would_be(team: Team, plan: Plan) -> None:
    name = team.unique("view")
    team.write_sheet(name, ROWS)
    team.clients.bigquery.create_dataset(DATASET, exists_ok=True)
    team.clients.bigquery.query_and_wait(f"CREATE VIEW `{PROJECT}.{DATASET}.{name}` AS SELECT 1 AS x")
    config_id = team.add_config(name, run_frequency_hours=0)
    (error,) = planned(plan(name, "--json"), code=1)["errors"]
    assert error["error_class"] == "LoadRefused"
    assert run_now(team, config_id).error == error["error"]


@pytest.mark.parametrize(
    ("columns", "named"),
    [({"tab": "Nowhere"}, "TabNotFound"), ({"google_sheet_url": "https://example.com"}, "InvalidConfig")],
)
def test_what_a_run_would_fail_with_exits_1_and_is_one_line(columns, named, team: Team, plan: Plan) -> None:
    name = team.unique("failing")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, is_active=True, run_frequency_hours=0, **columns)
    done = plan(str(config_id))
    assert done.returncode == 1
    assert done.stderr.startswith(f"a run would fail: {named}: ")
    assert len(done.stderr.splitlines()) == 1
    assert planned(plan(str(config_id), "--json"), code=1)["errors"][0]["error_class"] == named


@pytest.mark.parametrize(
    "arguments", [[], ["nobody at all"], ["--config-file", "not-there.json"], ["7", "--config-file", "x.json"]]
)
def test_what_cannot_be_planned_exits_2(arguments: list[str], plan: Plan) -> None:
    done = plan(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
