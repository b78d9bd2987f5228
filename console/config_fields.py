"""The fields by which people describe a config, on the form that adds one and the one that edits it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from console.forms import Field, FormRefused
from console.phrases import every
from shared.errors import InvalidConfig
from shared.registration import parse_frequency
from shared.spreadsheet import spreadsheet_of

URL, TAB, PROJECT, DATASET = (
    "google_sheet_url",
    "google_sheet_tab_name",
    "google_cloud_project_id",
    "bigquery_dataset_id",
)
NAME, TABLE, HOURS = "name", "bigquery_table_id", "run_frequency_hours"
HANDLING, SCHEMA, OPTIONS = "schema_handling", "custom_schema", "options"
# Digits beyond which Python refuses to make a number of them at all.
_LONGEST_NUMBER = 10
_TYPES, _OPTIONS = "Types", "Options"
_YES, _NO = "true", "false"

FREQUENCY = Field(
    HOURS,
    "Hours between runs",
    help="1 is every hour, 24 every day, 168 every week; 0: manual only.",
    kind="number",
    required=True,
    suggestions=tuple((str(hours), every(hours)) for hours in (1, 3, 6, 12, 24, 168, 0)),
)
# Where a config reads, where it loads, and how often.
DESCRIBED = (
    Field(
        URL,
        "Address of the spreadsheet",
        help="Open the tab to be loaded, and copy the address from the browser's address bar.",
        required=True,
    ),
    Field(
        TAB,
        "Tab",
        help="Its name, which goes before the address; left out: the tab in the address, or else the first one.",
        longest=255,
    ),
    Field(PROJECT, "Google Cloud project", required=True, longest=255),
    Field(DATASET, "BigQuery dataset", help="It is made if it is not there.", required=True, longest=255),
    Field(NAME, "Name of the config", help="A short name, such as `stock`.", required=True, longest=255),
    Field(TABLE, "BigQuery table", help="It is replaced by what the sheet has.", required=True, longest=255),
    FREQUENCY,
)
TYPED = (
    Field(
        HANDLING,
        "Types of the columns",
        kind="choice",
        choices=(
            ("auto_detect", "by what the cells hold"),
            ("custom", "by the custom schema, the others by the cells"),
            ("string", "every column a STRING of what the sheet shows"),
        ),
        group=_TYPES,
    ),
    Field(
        SCHEMA,
        "Custom schema",
        help="A JSON list of columns, each with name (or exact header), type, and, if wanted, mode and description;"
        " what `bq show --schema` prints is understood.",
        kind="area",
        longest=50_000,
        group=_TYPES,
    ),
)
# An option each, by its name (shared/options.py).
EACH_OPTION = (
    Field("range", "Range", help="An area of the tab, such as B3:F, or a named range; left out: all of the tab."),
    Field(
        "header_row",
        "Header row",
        help="The row, as Sheets numbers it, that names the columns; left out: the first one.",
        kind="number",
    ),
    Field(
        "on_empty",
        "Where the sheet has no rows",
        kind="choice",
        choices=(("fail", "the run fails"), ("keep", "the table is kept as it is"), ("empty", "the table is emptied")),
    ),
    Field(
        "load_mode",
        "What a load does",
        kind="choice",
        choices=(
            ("replace", "it replaces the table's rows"),
            ("append", "it appends the sheet's rows"),
            ("merge", "it merges the sheet's rows by the merge keys"),
            ("snapshot", "it keeps a snapshot a day"),
        ),
    ),
    Field(
        "merge_keys",
        "Merge keys",
        help="The columns by which rows are told apart, a line each, by name or header: where a load merges.",
        kind="area",
    ),
    Field(
        "schema_drift",
        "Where the sheet has other columns than the table",
        kind="choice",
        choices=(("follow", "the table follows"), ("keep", "the table keeps its columns"), ("fail", "the run fails")),
    ),
    Field(
        "max_shrink",
        "Largest part of its rows that the table may lose",
        help="In one load, from 0 to below 1: 0.2 is a fifth. Left out: no limit.",
        longest=20,
    ),
    Field(
        "max_error_cells",
        "Most cells in error",
        help="So many are loaded as NULL, and one more fails the run. Left out: no limit.",
        kind="number",
    ),
    Field(
        "skip_unchanged",
        "Where the table has the sheet's content already",
        kind="choice",
        choices=((_NO, "it is loaded again"), (_YES, "nothing is loaded")),
    ),
    Field("partition_by", "Partition by", help="A column of dates or times; left out: not partitioned."),
    Field(
        "partition_type",
        "A partition for each",
        kind="choice",
        choices=(("HOUR", "hour"), ("DAY", "day"), ("MONTH", "month"), ("YEAR", "year")),
    ),
    Field("cluster_by", "Cluster by", help="Up to four columns, a line each, in their order.", kind="area"),
    Field(
        "parity",
        "Shape of the table",
        help="`python migrate.py types` leaves the older service's with a view of it for those who read it.",
        kind="choice",
        choices=((_NO, "as the types say"), (_YES, "the older service's: all STRING as shown")),
    ),
)
# In their place where a row has options that they cannot show.
ALL_OPTIONS = Field(
    OPTIONS,
    "Options",
    help="A JSON object, as the README lists them. Something in it is no option, or of another type: mend that, and"
    " each option gets a field of its own.",
    kind="area",
    longest=20_000,
    group=_OPTIONS,
)
LABELS = {field.name: field.label for field in (*DESCRIBED, *TYPED, *EACH_OPTION, ALL_OPTIONS)}
# As people are told which columns an edit changed.
WORDS = {
    NAME: "name",
    URL: "spreadsheet",
    TAB: "tab",
    PROJECT: "project",
    DATASET: "dataset",
    TABLE: "table",
    HANDLING: "types",
    SCHEMA: "custom schema",
    OPTIONS: "options",
    HOURS: "hours",
}


def hours_in(text: str, field: str) -> int:
    """The hours that a person filled in. Raises `FormRefused` for the field."""
    stripped = text.strip()
    is_number = stripped.isascii() and stripped.isdigit() and len(stripped) < _LONGEST_NUMBER
    try:
        hours = parse_frequency(int(stripped) if is_number else stripped)
    except InvalidConfig as error:
        raise FormRefused("that is no frequency", error.remedy, {field: error.remedy}) from None
    return int(hours or 0)


def address_beside(tab: Any, url: Any) -> Any:
    """The spreadsheet's address beside a tab that a person named: without the tab that was open when they copied it.

    A name that is not there would be taken for one that was changed since, and the address's tab loaded in its place.
    """
    spreadsheet = spreadsheet_of({URL: url}) if tab else None
    return url if spreadsheet is None or spreadsheet.gid is None else spreadsheet.link()


def problems_by_field(sentences: Iterable[str], fields: Collection[str]) -> dict[str, str]:
    """What the parser of configs tells, by the field that it begins with; of an option without a field, all of it."""
    problems: dict[str, str] = {}
    for sentence in sentences:
        name, _, told = sentence.removeprefix(f"{OPTIONS}: ").partition(" ")
        if name in fields:
            problems.setdefault(name, told)
        else:
            problems[OPTIONS] = "; ".join(filter(None, (problems.get(OPTIONS), sentence.removeprefix(f"{OPTIONS}: "))))
    return problems


def refuse(problems: Mapping[str, str], what: str) -> None:
    """Raises `FormRefused` where there are any."""
    if problems:
        raise FormRefused(what, "correct what is marked, and send it again", problems)
