"""What a form's texts make of a config's row: what nobody touched stays, however it was written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.edited import _DEFAULTS, _is_number, changes_of, digests, fields_of, texts, told_changes, unlike

WORDS = st.text(max_size=12) | st.sampled_from([" Q1 ", "a\r\nb", "", "AUTO_DETECT", "=;", "</textarea>", "\u202ex"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 9) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "range": WORDS | st.none(),
        "header_row": st.integers(1, 9) | st.just("3"),
        "on_empty": st.sampled_from(["fail", "keep", " empty ", None]),
        "max_shrink": st.sampled_from([0, 0.5, "0.25"]),
        "merge_keys": st.lists(WORDS, max_size=3),
        "cluster_by": st.lists(WORDS, max_size=3),
        "skip_unchanged": st.booleans() | st.just("true"),
        "parity": st.booleans(),
    },
)
ROWS = st.fixed_dictionaries(
    {"id": st.just(7), "name": WORDS},
    optional={
        "google_sheet_url": WORDS | st.none(),
        "google_sheet_tab_name": WORDS | st.none(),
        "bigquery_table_id": WORDS | st.integers(),
        "schema_handling": WORDS | st.none(),
        "custom_schema": JSON,
        "options": OPTIONS | JSON,
        "run_frequency_hours": st.none() | st.integers(-1, 900_000) | WORDS,
    },
)


def as_a_browser_sends(text: str) -> str:
    """HTML's normalization of a textarea's line breaks (html.spec.whatwg.org, form submission)."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


@given(row=ROWS)
def test_what_is_sent_as_it_was_shown_changes_nothing(row: dict[str, Any]) -> None:
    shown = texts(row)
    sent = {name: as_a_browser_sends(text) for name, text in shown.items()}
    changes, _ = changes_of(row, sent)
    assert changes == {}
    assert unlike(digests(shown), sent) == set()


@given(row=ROWS, tab=st.text(min_size=1, max_size=9))
def test_a_field_that_is_touched_changes_its_column_and_no_other(row: dict[str, Any], tab: str) -> None:
    wanted = texts(row) | {"google_sheet_tab_name": f"Q{tab.strip()}7"}
    changes, _ = changes_of(row, wanted)
    assert set(changes) <= {"google_sheet_tab_name"}
    assert unlike(digests(texts(row)), wanted) <= {"google_sheet_tab_name"}


@given(row=ROWS)
def test_what_a_form_remembers_is_short_and_has_no_blank_in_it(row: dict[str, Any]) -> None:
    assert len(digests(texts(row))) < 1000
    assert unlike(digests(texts(row)) + " nothing", texts(row)) == set()


@pytest.mark.parametrize("shown", ["", "nonsense", "name=", "=", "name=0 name=1"])
def test_a_form_that_remembers_nothing_is_unlike_all(shown: str) -> None:
    told = texts({"name": "Sales"})
    assert unlike(shown, told) == set(told)


def test_a_choice_that_there_is_none_of_is_there_to_be_left() -> None:
    (field,) = [field for field in fields_of({"schema_handling": "Guess"}) if field.name == "schema_handling"]
    assert (field.value, field.choices[-1]) == ("guess", ("guess", "guess (which there is none of)"))


def test_an_edit_is_told_in_the_forms_order_and_what_is_long_by_its_name_alone() -> None:
    changed = {
        "options": {"before": {"on_empty": "keep", "range": "A:B"}, "after": {"range": "A:B", "max_shrink": 0.1}},
        "custom_schema": {"before": None, "after": [{"name": "x" * 90}]},
        "google_sheet_tab_name": {"before": None, "after": "Q2"},
    }
    assert told_changes(changed) == ["tab – → Q2", "custom schema", "max_shrink – → 0.1", "on_empty keep → –"]
    assert told_changes({"options": {"before": '{"range": "A:B"}', "after": None}}) == ["options"]


def test_the_options_that_are_numbers_are_known_by_their_types() -> None:
    assert {name for name in _DEFAULTS if _is_number(name)} == {"header_row", "max_shrink", "max_error_cells"}


ADDRESS = "https://docs.google.com/spreadsheets/d/abcdefghij/edit"


@pytest.mark.parametrize(
    ("row", "wanted", "after"),
    [
        # The tab of the address would be loaded where no tab has the name.
        (("Q1", "?usp=sharing#gid=7"), {"google_sheet_tab_name": "Q2"}, ("Q2", "")),
        ((None, "#gid=7"), {"google_sheet_tab_name": "Q2"}, ("Q2", "")),
        # The address tells the tab, or nobody said anything of it.
        (("Q1", "#gid=7"), {"google_sheet_tab_name": ""}, (None, "#gid=7")),
        (("Q1", "#gid=7"), {"name": "other"}, ("Q1", "#gid=7")),
        (("Q1", ""), {"google_sheet_url": f"{ADDRESS}#gid=8"}, ("Q1", "#gid=8")),
    ],
)
def test_a_tab_that_is_named_stands_alone(row: Any, wanted: dict[str, str], after: Any) -> None:
    before = {"google_sheet_tab_name": row[0], "google_sheet_url": f"{ADDRESS}{row[1]}"}
    changes, problems = changes_of(before, texts(before) | wanted)
    changed = before | changes
    assert (changed["google_sheet_tab_name"], changed["google_sheet_url"]) == (after[0], f"{ADDRESS}{after[1]}")
    assert problems == {}
