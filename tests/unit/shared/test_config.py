"""A config from a row or a file, with the portal's odd values: parsed, or refused by one error that names all."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.column import Column
from shared.config import Config, encode_custom_schema, examine_config, parse_config
from shared.errors import InvalidConfig

ROW: dict[str, Any] = {
    "id": 7,
    "name": "sales",
    "google_sheet_url": "https://docs.google.com/spreadsheets/d/1A2b3C4d5E6f7G8h9I0j/edit#gid=5",
    "google_sheet_tab_name": None,
    "google_cloud_project_id": "test-project",
    "bigquery_dataset_id": "reports",
    "bigquery_table_id": "sales",
    "schema_handling": "auto_detect",
    "custom_schema": None,
    "run_frequency_hours": 24,
    "last_run": "2026-05-04T12:00:00+00:00",
    "is_active": True,
}
SCHEMA = [{"name": "id", "type": "INTEGER", "mode": "REQUIRED"}]


def refusal(**values: Any) -> str:
    with pytest.raises(InvalidConfig) as caught:
        parse_config(ROW | values)
    return str(caught.value)


def test_a_row_is_parsed_with_the_columns_of_the_portals_own_left_alone() -> None:
    config = parse_config(ROW)
    assert (config.id, config.name, config.spreadsheet.gid) == (7, "sales", 5)
    assert config.destination == "test-project.reports.sales"


@pytest.mark.parametrize(
    ("values", "field", "parsed"),
    [
        ({"google_sheet_tab_name": ""}, "google_sheet_tab_name", None),
        ({"google_sheet_tab_name": "  "}, "google_sheet_tab_name", None),
        ({"google_sheet_tab_name": "Umsätze 2024 "}, "google_sheet_tab_name", "Umsätze 2024"),
        ({"schema_handling": None}, "schema_handling", "auto_detect"),
        ({"schema_handling": ""}, "schema_handling", "auto_detect"),
        ({"schema_handling": " Auto_Detect "}, "schema_handling", "auto_detect"),
        ({"schema_handling": "String"}, "schema_handling", "string"),
        ({"schema_handling": "string", "custom_schema": "not used"}, "custom_schema", ()),
        ({"custom_schema": ""}, "custom_schema", ()),
        ({"custom_schema": "[]"}, "custom_schema", ()),
        ({"custom_schema": {}}, "custom_schema", ()),
        ({"custom_schema": "nonsense"}, "custom_schema", ()),
        ({"custom_schema": [["a", "b"]]}, "custom_schema", ()),
        ({"schema_handling": "CUSTOM", "custom_schema": SCHEMA}, "schema_handling", "custom"),
        ({"schema_handling": "custom", "custom_schema": '[{"name": "id", "type": "INTEGER", "mode": "REQUIRED"}]'},
         "custom_schema", (Column("id", "INT64", "REQUIRED"),)),
        ({"custom_schema": SCHEMA}, "custom_schema", (Column("id", "INT64", "REQUIRED"),)),
        ({"bigquery_table_id": " sales\n"}, "bigquery_table_id", "sales"),
        ({"id": None}, "id", None),
        ({"google_cloud_project_id": "a.com:test-project"}, "google_cloud_project_id", "a.com:test-project"),
        ({"bigquery_table_id": "Verkäufe 2024-05"}, "bigquery_table_id", "Verkäufe 2024-05"),
        ({"bigquery_table_id": "हिन्दी"}, "bigquery_table_id", "हिन्दी"),
        ({"bigquery_table_id": "数量"}, "bigquery_table_id", "数量"),
        ({"bigquery_table_id": "t" * 1024}, "bigquery_table_id", "t" * 1024),
    ],
)  # fmt: skip
def test_odd_values_mean_what_the_person_meant(values: dict[str, Any], field: str, parsed: Any) -> None:
    assert getattr(parse_config(ROW | values), field) == parsed


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"name": " "}, "name is blank"),
        ({"name": None}, "name is missing"),
        ({"name": 7}, "name is a number, not text"),
        ({"google_sheet_url": None}, "google_sheet_url is missing"),
        ({"google_sheet_url": ""}, "google_sheet_url cannot be used: it is blank"),
        (
            {"google_sheet_url": "https://drive.google.com/file/d/x/view"},
            "cannot be used: it is a link to a file in Drive",
        ),
        ({"google_cloud_project_id": ""}, "google_cloud_project_id is blank text, not a project id"),
        ({"google_cloud_project_id": "My Project"}, "google_cloud_project_id is text of 10 characters"),
        ({"google_cloud_project_id": "short"}, "google_cloud_project_id is text of 5 characters"),
        ({"google_cloud_project_id": "1234567890"}, "google_cloud_project_id is text of 10 characters"),
        ({"google_cloud_project_id": "test-project."}, "google_cloud_project_id is text of 13 characters"),
        ({"bigquery_dataset_id": "test-project.reports"}, "bigquery_dataset_id is text of 20 characters"),
        ({"bigquery_dataset_id": "re-ports"}, "bigquery_dataset_id is text of 8 characters"),
        ({"bigquery_dataset_id": "Verkäufe"}, "bigquery_dataset_id is text of 8 characters"),
        ({"bigquery_dataset_id": "d" * 1025}, "bigquery_dataset_id is text of 1025 characters"),
        ({"bigquery_table_id": "reports.sales"}, "bigquery_table_id is text of 13 characters"),
        ({"bigquery_table_id": "sales$20240501"}, "bigquery_table_id is text of 14 characters"),
        ({"bigquery_table_id": "sales_*"}, "bigquery_table_id is text of 7 characters"),
        ({"bigquery_table_id": "sales`; DROP"}, "bigquery_table_id is text of 12 characters"),
        ({"bigquery_table_id": "two\nlines"}, "bigquery_table_id is text of 9 characters"),
        ({"bigquery_table_id": "量" * 342}, "bigquery_table_id is text of 342 characters"),
        ({"bigquery_table_id": []}, "bigquery_table_id is a list of 0, not text"),
        ({"google_sheet_tab_name": 2024}, "google_sheet_tab_name is a number, not text"),
        (
            {"schema_handling": "guess"},
            "schema_handling is text of 5 characters, not one of auto_detect, custom, string",
        ),
        ({"schema_handling": True}, "schema_handling is true or false, not one of auto_detect, custom, string"),
        ({"schema_handling": "custom"}, "custom_schema has no columns, but the schema handling is custom"),
        ({"schema_handling": "custom", "custom_schema": "[]"}, "custom_schema has no columns"),
        ({"schema_handling": "custom", "custom_schema": {}}, "custom_schema is an object with 0 keys, not a list"),
        ({"schema_handling": "custom", "custom_schema": "x"}, "custom_schema is not JSON"),
        (
            {"schema_handling": "custom", "custom_schema": SCHEMA * 2},
            "custom_schema columns 1 and 2 have the same name",
        ),
        ({"id": "seven"}, "id is text of 5 characters, not a whole number"),
        ({"id": True}, "id is true or false, not a whole number"),
    ],
)
def test_what_cannot_be_run_is_refused_for_whom_and_why(values: dict[str, Any], problem: str) -> None:
    told = refusal(**values)
    assert told.startswith('config 7 "sales": ') or not {"name", "id"}.isdisjoint(values)
    assert problem in told
    assert told.endswith(": correct it and run it again")
    assert told.count("; ") == (1 if "google_sheet_url" in values and values["google_sheet_url"] is not None else 0)


def test_every_field_that_is_wrong_is_in_one_error() -> None:
    told = refusal(
        name="",
        google_sheet_url="https://example.com",
        google_cloud_project_id=None,
        bigquery_dataset_id="a.b",
        bigquery_table_id=7,
        schema_handling="custom",
        custom_schema=[{"name": "id", "type": "RECORD"}],
    )
    for field in ROW.keys() & {*Config.__struct_fields__} - {"id", "google_sheet_tab_name", "schema_handling"}:
        assert f"{field} " in told


def test_a_file_is_named_in_place_of_the_config() -> None:
    with pytest.raises(InvalidConfig, match=r"^test_config\.json: name is missing"):
        parse_config({**ROW, "name": None}, "test_config.json")


def test_a_config_names_its_fields_as_the_person_wrote_them() -> None:
    problems = examine_config({"schema_handling": "custom"}, spelled=str.upper).problems
    assert "BIGQUERY_DATASET_ID is missing" in problems
    assert "CUSTOM_SCHEMA has no columns, but the schema handling is custom" in problems


def test_a_config_that_cannot_be_run_cannot_be_made() -> None:
    config = parse_config(ROW)
    with pytest.raises(ValueError, match="bigquery_table_id"):
        msgspec.structs.replace(config, bigquery_table_id="a.b")


def test_a_custom_schema_survives_the_jobs_environment() -> None:
    config = parse_config(ROW | {"schema_handling": "custom", "custom_schema": SCHEMA})
    assert parse_config(ROW | {"custom_schema": encode_custom_schema(config.custom_schema)}).custom_schema == (
        config.custom_schema
    )
    assert encode_custom_schema(()) == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(Config.__struct_fields__, json_values)))
def test_no_row_does_anything_but_parse_or_be_refused(values: dict[str, Any]) -> None:
    try:
        config = parse_config(ROW | values)
    except InvalidConfig:
        return
    assert config.spreadsheet.id
    assert config.destination.count(".") == 2


def test_its_shadow_is_loaded_as_the_older_service_would_into_a_dataset_beside_its_own() -> None:
    custom = {"schema_handling": "custom", "custom_schema": [{"name": "id", "type": "INT64"}]}
    config = parse_config(ROW | custom | {"options": {"range": "B3:F"}})
    shadow = config.shadow("_beside")
    assert shadow.bigquery_dataset_id == f"{config.bigquery_dataset_id}_beside"
    assert (shadow.bigquery_table_id, shadow.google_sheet_url) == (config.bigquery_table_id, config.google_sheet_url)
    assert (shadow.schema_handling, shadow.custom_schema) == ("string", ())
    assert (shadow.options.parity, shadow.options.range) == (True, "B3:F")
    assert config.schema_handling == "custom"
