"""A config's options as sentences."""

from typing import Any

import pytest

from console.options import in_words
from shared.config import Config, parse_config
from shared.options import Options


def config(options: dict[str, Any] | None = None, **values: Any) -> Config:
    return parse_config(
        {
            "name": "sales",
            "google_sheet_url": "https://docs.google.com/spreadsheets/d/abcdefghij/edit",
            "google_cloud_project_id": "test-project",
            "bigquery_dataset_id": "reports",
            "bigquery_table_id": "sales",
            "options": options,
            **values,
        }
    )


def test_a_plain_config_says_how_types_come_and_how_it_loads() -> None:
    assert in_words(config()) == ["types by what the cells hold", "each load replaces the table's rows"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"schema_handling": "string"}, "every column is a STRING of what the sheet shows"),
        (
            {"schema_handling": "custom", "custom_schema": [{"name": "a", "type": "STRING"}]},
            "types by a custom schema of 1 column, the others by the cells",
        ),
        (
            {"options": {"parity": True}},
            "columns as the older service makes them: all STRING as shown, headers as they",
        ),
        ({"options": {"load_mode": "append"}}, "each load appends the sheet's rows to the table"),
        ({"options": {"load_mode": "merge", "merge_keys": ["sku", "day"]}}, "into the table, by sku, day"),
        ({"options": {"load_mode": "snapshot"}}, "each load replaces the partition of its day"),
        ({"options": {"range": "B3:F"}}, "only the range B3:F is read"),
        ({"options": {"header_row": 3}}, "row 3 names the columns"),
        ({"options": {"on_empty": "keep"}}, "where the sheet has no rows, the table is kept as it is"),
        ({"options": {"on_empty": "empty"}}, "where the sheet has no rows, the table is emptied"),
        ({"options": {"max_shrink": 0.2}}, "a load that would take more than 20 % of the table's rows fails"),
        ({"options": {"max_error_cells": 1}}, "at most 1 cell in error may be loaded as NULL"),
        ({"options": {"schema_drift": "keep"}}, "the table keeps its columns"),
        ({"options": {"schema_drift": "fail"}}, "the run fails"),
        (
            {"options": {"partition_by": "day", "partition_type": "MONTH"}},
            "partitioned by day, a partition for each month",
        ),
        ({"options": {"cluster_by": ["a", "b"]}}, "clustered by a, b"),
        ({"options": {"skip_unchanged": True}}, "nothing is loaded where the table has this very content"),
    ],
)
def test_what_differs_from_the_defaults_is_told(values: dict[str, Any], told: str) -> None:
    assert any(told in sentence for sentence in in_words(config(**values)))


def test_no_option_goes_without_a_word() -> None:
    said = {
        "range": "A:C",
        "header_row": 2,
        "on_empty": "keep",
        "max_shrink": 0.5,
        "schema_drift": "keep",
        "load_mode": "append",
        "merge_keys": ["sku"],
        "partition_by": "day",
        "partition_type": "YEAR",
        "cluster_by": ["a"],
        "skip_unchanged": True,
        "max_error_cells": 3,
        "parity": True,
    }
    assert said.keys() == set(Options.__struct_fields__)
    beside = {"merge_keys": {"load_mode": "merge"}, "partition_type": {"partition_by": "day"}}
    for name, value in said.items():
        before = {} if name == "merge_keys" else beside.get(name, {})
        assert in_words(config(beside.get(name, {}) | {name: value})) != in_words(config(before)), name
