"""What the console has to show in a browser: configs in many states, with names, tabs and headers that want to be more
than text, and runs that really went.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter

from local.environment import PROJECT
from shared.planning import request_plan
from shared.wiring import Wiring
from tests.e2e.conftest import DATASET, Team

# What somebody may call a config, a tab or a column. A tab's name has 31 characters at most, and none of []:*?/\.
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }} \u202egnp.exe"
# What turns the direction of writing is not let loose on a page.
SHOWN = HOSTILE.replace("\u202e", "\N{REPLACEMENT CHARACTER}")
HOSTILE_TAB = "<img src=x onerror=alert(3)>"
HOSTILE_HEADER = "<b onclick=alert(4)>total"
# More than a page of the overview has.
PAUSED = 55


@dataclass(frozen=True)
class Fleet:
    """Configs that `mark` finds, each by its id; `runs` has the run of those that ran, `plans` a plan of some."""

    mark: str
    loaded: int
    warned: int
    violated: int
    hostile: int
    missing_tab: int
    by_hand: int
    wrong: int
    runs: Mapping[int, str]
    plans: Mapping[int, str]

    @property
    def search(self) -> str:
        """The overview of these configs alone."""
        return f"/?search={self.mark}"

    @property
    def count(self) -> int:
        return PAUSED + 7


def furnish(team: Team) -> Fleet:
    """Configs for the system that `team` works with, their runs ended."""
    mark = team.unique("fleet")
    team.write_sheet(mark, [["id", "amount"], [1, 10], [2, 20], [3, "thirty"]])
    _write_hostile_sheet(team.system.samples / f"{mark}_hostile.xlsx")

    def add(name: str, **columns: Any) -> int:
        told: dict[str, Any] = {"spreadsheet": mark, "bigquery_table_id": f"{mark}_{name}", **columns}
        return team.add_config(f"{mark} {name}", **told)

    integers = json.dumps([{"name": "amount", "type": "INT64"}])
    configs = {
        "loaded": add("loaded"),
        "warned": add("warned", spreadsheet="budget"),
        "violated": add("violated", schema_handling="custom", custom_schema=integers, run_frequency_hours=0),
        "hostile": add(HOSTILE, spreadsheet=f"{mark}_hostile", tab=HOSTILE_TAB, bigquery_table_id=f"{mark}_hostile"),
        "missing_tab": add("missing_tab", tab=HOSTILE_TAB, run_frequency_hours=0),
        "by_hand": add("by_hand", run_frequency_hours=0),
        "wrong": add("wrong", google_sheet_url="javascript:alert(5)//https://docs.google.com/", run_frequency_hours=-1),
    }
    _add_paused(team, mark)
    went = [configs[name] for name in ("loaded", "warned", "violated", "hostile", "missing_tab")]
    for config_id in went:
        team.publish({"config_id": config_id})
    runs = {run.config_id: run.id for run in team.wait_for_runs(*went, seconds=120)}
    plans = _plan(team, [configs["hostile"], configs["violated"]])
    return Fleet(mark=mark, runs=runs, plans=plans, **configs)


def _plan(team: Team, config_ids: Sequence[int]) -> dict[int, str]:
    """A plan of each of these configs, asked for as the console asks, and ended."""
    here = Wiring(team.system.environment)
    rows = team.clients.postgres.run(
        "SELECT id, to_jsonb(c) FROM sheet_to_bigquery_configs c WHERE id = ANY(:ids)", ids=list(config_ids)
    )
    with here.store() as store:
        plans = {
            config_id: request_plan(row, config_id, "ann@example.com", store, here.publish_plan)
            for config_id, row in rows
        }
        deadline = time.monotonic() + 120
        while not all(found and found.ended_at for found in map(store.find_plan, plans.values())):
            assert time.monotonic() < deadline, team.system.tail("complete")
            time.sleep(0.2)
    return plans


def _write_hostile_sheet(path: Path) -> None:
    with xlsxwriter.Workbook(path) as workbook:
        worksheet = workbook.add_worksheet(HOSTILE_TAB)
        worksheet.write_row(0, 0, ["id", HOSTILE_HEADER])
        worksheet.write_row(1, 0, [1, 2])
        # A warning that tells the cell, and with it the tab's name.
        worksheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")
        worksheet.write(2, 0, 2)


def _add_paused(team: Team, mark: str) -> None:
    team.clients.postgres.run(
        """INSERT INTO sheet_to_bigquery_configs (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id,
               bigquery_table_id, is_active, paused_reason)
           SELECT :mark || ' paused ' || lpad(n::text, 2, '0'), 'https://docs.google.com/spreadsheets/d/' || :mark,
               :project, :dataset, :mark || '_' || n, false, :reason
           FROM generate_series(1, :count) n""",
        mark=mark,
        project=PROJECT,
        dataset=DATASET,
        reason=HOSTILE,
        count=PAUSED,
    )
