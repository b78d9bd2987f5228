"""A config's options: every one is understood or refused by name, whichever shape a portal stores them in."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config import parse_config
from shared.errors import InvalidConfig
from shared.options import Options, encode_options, examine_options

ROW = {
    "id": 7,
    "name": "sales",
    "google_sheet_url": "https://docs.google.com/spreadsheets/d/1AbcDefGhiJkl/edit",
    "google_cloud_project_id": "local-project",
    "bigquery_dataset_id": "sheets",
    "bigquery_table_id": "sales",
}


@pytest.mark.parametrize("given_", [None, "", {}, "{}", " {} "])
def test_without_any_all_are_the_defaults(given_: Any) -> None:
    assert parse_config(ROW | {"options": given_}).options == Options()
    assert encode_options(Options()) == ""


def test_they_are_read_from_an_object_and_from_its_text() -> None:
    raw = {"range": " B3:F ", "header_row": 3, "load_mode": "merge", "merge_keys": ["Order ID"], "max_error_cells": 0}
    options = parse_config(ROW | {"options": raw}).options
    assert options == Options(
        range="B3:F", header_row=3, load_mode="merge", merge_keys=("Order ID",), max_error_cells=0
    )
    assert parse_config(ROW | {"options": msgspec.json.encode(raw).decode()}).options == options


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"header_rows": 3}, "options: header_rows is none of range, header_row, on_empty, "),
        ({"header_row": 0}, "options: header_row is a number, not a whole number from 1 to 10000000"),
        ({"max_shrink": 1}, "options: max_shrink is a number, not a number from 0, below 1"),
        ({"load_mode": "upsert"}, "not one of append, merge, replace, snapshot"),
        ({"on_empty": "x"}, "options: on_empty is text of 1 characters, not one of empty, fail, keep"),
        ({"range": "  "}, "options: range is blank"),
        ({"load_mode": "merge"}, "options: merge_keys has no columns, but load_mode is merge"),
        ({"merge_keys": ["id"]}, "options: merge_keys means nothing with load_mode replace"),
        ({"load_mode": "merge", "merge_keys": ["a", "a"]}, "options: merge_keys has a name twice"),
        ({"load_mode": "merge", "merge_keys": [" "]}, "options: merge_keys has a blank name"),
        ({"load_mode": "append", "max_shrink": 0.5}, "options: max_shrink means nothing with load_mode append"),
        ({"load_mode": "append", "on_empty": "empty"}, "options: on_empty empty would empty nothing with load_mode"),
        ({"load_mode": "snapshot", "partition_by": "day"}, "options: partition_by means nothing with load_mode snap"),
        ({"partition_type": "MONTH"}, "options: partition_type means nothing without partition_by"),
        ({"cluster_by": list("abcde")}, "options: cluster_by has 5 columns, and 4 is the most"),
        ({"skip_unchanged": "perhaps"}, "options: skip_unchanged is text of 7 characters, not true or false"),
        ([], "options is a list of 0, not an object"),
        ("{", "options is not JSON"),
    ],
)
def test_what_is_wrong_is_named_and_never_quoted(raw: Any, told: str) -> None:
    with pytest.raises(InvalidConfig) as refused:
        parse_config(ROW | {"options": raw})
    assert told in str(refused.value)
    assert "perhaps" not in str(refused.value)


def test_one_error_names_all_that_is_wrong() -> None:
    with pytest.raises(InvalidConfig, match=r"bigquery_dataset_id .*options: header_row .*options: rows is none of"):
        parse_config(ROW | {"bigquery_dataset_id": "a b", "options": {"header_row": -1, "rows": 1}})


VALID = st.builds(
    Options,
    range=st.none()
    | st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1).map(str.strip).filter(bool),
    header_row=st.none() | st.integers(1, 10_000_000),
    on_empty=st.sampled_from(["fail", "keep"]),
    schema_drift=st.sampled_from(["follow", "keep", "fail"]),
    cluster_by=st.lists(st.sampled_from("abcd"), unique=True, max_size=4).map(tuple),
    skip_unchanged=st.booleans(),
)


@given(VALID)
def test_the_jobs_variable_carries_them_whole(options: Options) -> None:
    assert examine_options(encode_options(options)) == (options, ())


@pytest.mark.parametrize(
    "handling", [{}, {"schema_handling": "auto_detect"}, {"schema_handling": "custom", "custom_schema": "{"}]
)
def test_parity_types_nothing_whatever_the_schema_handling_says(handling: dict[str, Any]) -> None:
    config = parse_config(ROW | handling | {"options": {"parity": True}})
    assert (config.schema_handling, config.custom_schema) == ("string", ())
    assert encode_options(config.options) == '{"parity":true}'


def test_without_parity_a_wrong_custom_schema_is_told_still() -> None:
    with pytest.raises(InvalidConfig, match="custom_schema is not JSON"):
        parse_config(ROW | {"schema_handling": "custom", "custom_schema": "{", "options": {"parity": False}})
