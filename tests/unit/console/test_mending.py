"""An error leads to the field of the config that mends it, by its class's name."""

from typing import Any, get_args

import msgspec
import pytest

import job.errors
import shared.errors
from console.config_fields import ALL_OPTIONS, DESCRIBED, EACH_OPTION, TYPED
from console.forms import Field
from console.mending import _FIELDS, mending
from shared.acted import ActionName
from shared.config import Config, parse_config
from shared.errors import InvalidConfig
from shared.ledger.config_statements import EDITABLE
from shared.options import Options

ROW = {
    "id": 7,
    "google_sheet_url": "https://docs.google.com/spreadsheets/d/abcdefghij/edit",
    "google_cloud_project_id": "test-project",
    "bigquery_dataset_id": "reports",
    "bigquery_table_id": "sales",
}


@pytest.mark.parametrize("error_class", _FIELDS)
def test_it_is_a_class_of_errors_and_a_field_of_the_form(error_class: str) -> None:
    assert hasattr(job.errors, error_class) or hasattr(shared.errors, error_class)
    field = _FIELDS[error_class]
    assert field in {each.name for each in (*DESCRIBED, *TYPED, *EACH_OPTION)}
    assert mending(7, error_class, "it failed") == f"/configs/7/edit?field={field}#field-{field}"


@pytest.mark.parametrize(
    ("config_id", "error_class"), [(None, "TabNotFound"), (7, None), (7, "QuotaExceeded"), (7, "<b>")]
)
def test_what_no_field_mends_leads_nowhere(config_id: int | None, error_class: str | None) -> None:
    assert mending(config_id, error_class, "it failed") is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"google_sheet_url": ""}, "google_sheet_url"),
        ({"bigquery_table_id": "a.b"}, "bigquery_table_id"),
        ({"bigquery_dataset_id": "a-b", "bigquery_table_id": "a.b"}, "bigquery_dataset_id"),
        ({"name": " "}, "name"),
        ({"schema_handling": "custom"}, "custom_schema"),
        ({"schema_handling": "custom", "custom_schema": [{"name": "a"}]}, "custom_schema"),
        ({"options": {"load_mode": "merge"}}, "merge_keys"),
        ({"options": {"on_emtpy": "keep"}}, "options"),
        ({"options": "{"}, "options"),
    ],
)
@pytest.mark.parametrize("name", ["sales", "x: range; name", 'x": range', 'x": name is "y": max_shrink is "z"'])
def test_a_config_that_is_wrong_leads_to_the_field_that_its_error_begins_with(
    name: str, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidConfig) as refused:
        parse_config({**ROW, "name": name, **wrong})
    assert mending(7, "InvalidConfig", refused.value.what) == f"/configs/7/edit?field={field}#field-{field}"


def test_a_jobs_own_words_for_a_field_lead_there_and_none_to_the_first() -> None:
    assert mending(7, "InvalidConfig", "config 7: OPTIONS: RANGE is blank") == "/configs/7/edit?field=range#field-range"
    told = mending(7, "InvalidConfig", 'config 7 "sales" has no id')
    assert told == "/configs/7/edit?field=google_sheet_url#field-google_sheet_url"


def test_each_option_and_each_column_that_people_edit_has_its_field_on_the_form() -> None:
    assert {field.name for field in EACH_OPTION} == set(Options.__struct_fields__)
    assert {field.name for field in (*DESCRIBED, *TYPED, ALL_OPTIONS)} == set(EDITABLE)
    assert "edit" in get_args(ActionName)


@pytest.mark.parametrize(
    "field", [field for field in (*TYPED, *EACH_OPTION) if field.kind == "choice"], ids=lambda f: f.name
)
def test_a_choice_has_the_values_that_the_parser_takes(field: Field) -> None:
    model: type[msgspec.Struct] = Options if field.name in Options.__struct_fields__ else Config
    (wanted,) = [each.type for each in msgspec.structs.fields(model) if each.name == field.name]
    assert {value for value, _ in field.choices} == ({"true", "false"} if wanted is bool else set(get_args(wanted)))
