"""The console of the running system shows what PostgreSQL holds."""

import json
import urllib.request
from typing import Any

from local.environment import CONSOLE_USER
from local.ports import direct
from local.system import System
from tests.e2e.conftest import Team


def read(system: System, path: str) -> str:
    with direct.open(urllib.request.Request(system.addresses["console"] + path), timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode())


def rows(system: System, search: str) -> dict[str, dict[str, Any]]:
    told = json.loads(read(system, f"/overview.json?search={search}"))
    return {row["name"]: row for row in told["configs"]}


def test_the_overview_shows_what_came_of_the_runs(team: Team, system: System) -> None:
    mark = team.unique("seen")
    good, bad = f"{mark}_good", f"{mark}_bad"
    team.write_sheet(good, [["id", "amount"], [1, 10], [2, 20], [3, 30]])
    configs = {good: team.add_config(good), bad: team.add_config(bad, spreadsheet="no_such_spreadsheet")}
    assert {row["state"] for row in rows(system, mark).values()} == {"due"}
    team.dispatch(config_names=[good, bad])
    runs = {run.config_id: run for run in team.wait_for_runs(*configs.values())}
    told = rows(system, mark)
    assert (told[good]["state"], told[good]["rows"], told[good]["id"]) == ("succeeded", 3, configs[good])
    assert told[good]["run_id"] == str(runs[configs[good]].id)
    assert (told[bad]["state"], told[bad]["rows"]) == ("failed", None)
    (error_class,) = team.clients.postgres.run(
        "SELECT error_class FROM sheet_to_bigquery_runs WHERE config_id = :id", id=configs[bad]
    )[0]
    assert told[bad]["note"] == error_class
    failed = str(runs[configs[bad]].id)
    page = json.loads(read(system, f"/configs/{configs[bad]}.json"))
    assert ([run["id"] for run in page["runs"]], page["error_class"]) == ([failed], error_class)
    assert error_class in read(system, f"/runs/{failed}")
    columns = json.loads(read(system, f"/runs/{runs[configs[good]].id}.json"))["facts"]["columns"]
    assert [column["name"] for column in columns] == ["id", "amount"]
    html = read(system, f"/?search={mark}")
    assert all(text in html for text in (good, bad, error_class, CONSOLE_USER, "1–2 of 2"))
