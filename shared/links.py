"""Where people look further: the addresses of a sheet's cells, and of tables, jobs and executions in Google's console.

Pure. The console's addresses are those that gcloud and the console itself give (`gcloud run jobs execute` for an
execution's page, the console's own links for the others).
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import msgspec

from shared.spreadsheet import Spreadsheet

_CONSOLE = "https://console.cloud.google.com"
# Errors and warnings give the first cell's address in brackets behind its name.
_SHEET_LINK = re.compile(r"https://docs\.google\.com/spreadsheets/d/[A-Za-z0-9_-]+/edit(?:#[A-Za-z0-9=&]*)?")
_CELL_IN_LINK = re.compile(r"(?<=range=)[A-Z]+[0-9]+$")
# A cell as texts name it: `Q4_Sales!C17`, `'My tab'!C17`.
_CELL = re.compile(
    r"(?<![\w'])(?P<tab>'(?:[^']|'')+'|[^\W\d]\w*)!(?P<cell>[A-Z]{1,3}[1-9][0-9]{0,7})(?!\w)"
    rf"(?: \((?P<link>{_SHEET_LINK.pattern})\))?"
)
_EXECUTION = re.compile(
    r"projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+)/jobs/[^/]+/executions/(?P<name>[^/]+)"
)


class NamedCell(msgspec.Struct, frozen=True):
    """A cell that a text names (`Q4_Sales!C17`), and where it opens; None where nobody knows its spreadsheet."""

    cell: str
    link: str | None


def first_link(text: str) -> str | None:
    """The first address of a spreadsheet in an error or a warning: that of the first cell, or of the tab."""
    found = _SHEET_LINK.search(text)
    return found[0] if found else None


def named_cells(texts: Iterable[str], spreadsheet: Spreadsheet | None) -> list[NamedCell]:
    """Each cell that the texts name, once, in their order.

    Only the first cells of a text have their address in it. The others are of the same tab, so that they open by that
    one's `gid`; where a text has no address at all, the spreadsheet's `gid` is taken, if it has one.
    """
    found: dict[str, str | None] = {}
    for text in texts:
        beside: str | None = None
        for match in _CELL.finditer(text):
            beside = match["link"] or beside
            link = match["link"] or _beside(beside, match["cell"]) or _in(spreadsheet, match["cell"])
            found.setdefault(f"{match['tab']}!{match['cell']}", link)
    return [NamedCell(cell, link) for cell, link in found.items()]


def _beside(link: str | None, cell: str) -> str | None:
    return _CELL_IN_LINK.sub(cell, link) if link and _CELL_IN_LINK.search(link) else None


def _in(spreadsheet: Spreadsheet | None, cell: str) -> str | None:
    """Without the tab's gid, a cell's address opens any tab: then the spreadsheet's alone is the better one."""
    if spreadsheet is None:
        return None
    return spreadsheet.link(spreadsheet.gid, cell if spreadsheet.gid is not None else None)


def table(destination: str) -> str | None:
    """The page of a BigQuery table (`project.dataset.table`); None for what is no table's name."""
    parts = destination.rsplit(".", 2)  # a project's name may have a domain with dots in front
    if len(parts) < 3 or not all(parts):
        return None
    return f"{_CONSOLE}/bigquery?{urlencode({'p': parts[0], 'd': parts[1], 't': parts[2], 'page': 'table'})}"


def job(project: str, location: str, job_id: str) -> str:
    """The page of a BigQuery job."""
    return (
        f"{_CONSOLE}/bigquery?{urlencode({'project': project})}"
        f"&j=bq:{quote(location, safe='')}:{quote(job_id, safe='')}&page=queryresults"
    )


def execution(name: str) -> str | None:
    """The page of an execution, by its resource name; None for what is no execution's name."""
    parts = _EXECUTION.fullmatch(name)
    if parts is None:
        return None
    place = f"{quote(parts['region'], safe='')}/{quote(parts['name'], safe='')}"
    return f"{_CONSOLE}/run/jobs/executions/details/{place}/tasks?{urlencode({'project': parts['project']})}"


def log_filter(short_name: str) -> str:
    """What finds an execution's log entries in Cloud Logging (cloud.google.com/run/docs/logging)."""
    return f'resource.type="cloud_run_job" AND labels."run.googleapis.com/execution_name"="{short_name}"'


def logs(name: str, since: datetime | None = None) -> str | None:
    """The Logs Explorer with an execution's entries, by its resource name.

    Left to itself, it looks at the last hour; `since`, when the execution was started, tells it to look further back.
    """
    parts = _EXECUTION.fullmatch(name)
    if parts is None:
        return None
    wanted = log_filter(parts["name"])
    if since is not None:
        wanted += f' AND timestamp>="{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"'
    return f"{_CONSOLE}/logs/query;query={quote(wanted, safe='')}?{urlencode({'project': parts['project']})}"
