"""With `schema_handling` string a table is what the owner's older service made of the sheet, so that both compare."""

import re
from typing import Any

from local.clients import LocalClients
from tests.e2e.conftest import Team
from tests.e2e.test_samples import SAMPLES, visible_tabs

Row = tuple[str | None, ...]
UNEVEN: list[list[Any]] = [
    ["Customer No.", "1st order", "Größe", "note"],
    ["0042", None, 7.5, "blank before, none after"],
    [None, "x"],
    [],
    ["", "", "y"],
    [True, "#N/A", 0.1, None],
]


def older_service(clients: LocalClients, spreadsheet: str, tab: str) -> tuple[list[str], list[Row]]:
    """Columns and rows as the older service's code has them: one `values.get`, formatted, row 1 as header."""
    answer = clients.sheets.values().get(spreadsheetId=spreadsheet, range=f"'{tab}'").execute()
    header, *lines = answer["values"]
    names = [re.sub("^(?=[0-9])", "_", re.sub("[^a-zA-Z0-9_]", "_", text)) for text in header]
    return names, [(*line, *[None] * (len(header) - len(line))) for line in lines]


def in_order(rows: list[Row]) -> list[Row]:
    """A table has no order of its own."""
    return sorted(rows, key=repr)


def test_tables_are_those_of_the_older_service_or_fail_as_its_own_do(team: Team, clients: LocalClients) -> None:
    uneven = team.unique("uneven")
    team.write_sheet(uneven, UNEVEN)
    tabs = {uneven: (uneven, "Sheet1")}
    tabs |= {team.unique(each.stem): (each.stem, tab) for each in SAMPLES for tab in visible_tabs(each)}
    configs = {name: team.add_config(name, *place, schema_handling="string") for name, place in tabs.items()}
    team.dispatch(config_names=list(tabs))
    runs = {run.config_id: run for run in team.wait_for_runs(*configs.values())}
    for name, place in tabs.items():
        names, rows = older_service(clients, *place)
        run = runs[configs[name]]
        if len({text.lower() for text in names}) < len(names):
            assert (run.state, "give the same name" in str(run.error)) == ("failed", True)
            continue
        assert (run.state, run.error) == ("succeeded", None)
        assert run.rows == len(rows)
        assert team.types(name) == dict.fromkeys(names, "STRING")
        assert in_order([tuple(row.values()) for row in team.table(name)]) == in_order(rows)
