"""Parsing at the boundary: every problem at once, named, and never with a value."""

import contextlib
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from shared.errors import InvalidInput
from shared.parse import parse, parse_json, parse_object, shape


class Order(msgspec.Struct, frozen=True):
    """Something with a field of each kind that the product parses."""

    number: Annotated[int, Meta(ge=1, le=99)]
    title: str
    kind: Literal["new", "old"] = "new"
    urgent: bool = False
    weight: float | None = None
    tags: tuple[str, ...] = ()
    parts: dict[str, float] = {}


def test_all_problems_are_told_in_one_error() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(
            Order, {"number": 100, "kind": "secret", "tags": "secret", "weight": "secret"}, "the order", remedy="mend"
        )
    assert str(caught.value) == (
        "the order: number is a number, not a whole number from 1 to 99; title is missing;"
        " kind is text of 6 characters, not one of new, old; weight is text of 6 characters, not a number;"
        " tags is text of 6 characters, not a list: mend"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "hunter2"),
        ("number", "hunter2"),
        ("urgent", "hunter2"),
        ("weight", ["hunter2"]),
        ("tags", ["fine", {"hunter2": "hunter2"}]),
        ("parts", {"hunter2": "hunter2"}),
        ("title", b"hunter2"),
        ("title", {"hunter2": 1}),
    ],
)
def test_a_value_is_never_in_the_error(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=field) as caught:
        parse(Order, {"number": 1, "title": "t"} | {field: value}, "the order")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("value", "number"), [(7, 7), ("7", 7), (7.0, 7)])
def test_a_number_may_be_text_as_in_an_environment(value: Any, number: int) -> None:
    assert parse(Order, {"number": value, "title": "t"}, "the order").number == number


@pytest.mark.parametrize(
    "value", [True, False, 7.5, "7.5", "", " ", "seven", [7], {"7": 7}, 0, -1, 2**70, float("nan")]
)
def test_what_is_no_whole_number_in_range_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"number is .*, not a whole number from 1 to 99"):
        parse(Order, {"number": value, "title": "t"}, "the order")


def test_null_and_absent_mean_the_default_and_unknown_fields_are_left_alone() -> None:
    order = parse(Order, {"number": 1, "title": "t", "kind": None, "parts": None, "colour": "red"}, "the order")
    assert order == Order(1, "t")


def test_unknown_fields_are_refused_by_name_where_only_known_ones_count() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(Order, {"number": "x", "title": "t", "urgnet": "secret"}, "the order", known_only=True)
    assert str(caught.value) == (
        "the order: number is text of 1 characters, not a whole number from 1 to 99;"
        " urgnet is none of number, title, kind, urgent, weight, tags, parts"
    )
    assert parse(Order, {"number": 1, "title": "t"}, "the order", known_only=True) == Order(1, "t")


def test_null_is_missing_where_there_is_no_default() -> None:
    with pytest.raises(InvalidInput, match="title is missing"):
        parse(Order, {"number": 1, "title": None}, "the order")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"{", "is not JSON"),
        (b"{'config_id': 7}", "is not JSON"),
        (b'{"a": NaN}', "is not JSON"),
        (b'{"a": 1e999}', "is not JSON"),
        (b"\xff\xfe{\x00}\x00", "is not JSON"),
        (b'{"name": "\xe9"}', "is not JSON"),
        (b'{"name": "\\ud800"}', "is not JSON"),
        ('{"name": "\ud800"}', "is not JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"name": "a\\u0000b"}', "NUL"),
        (b'{"name": "\\\\\\u0000"}', "NUL"),
        (b"[]", "a list of 0, not an object"),
        (b"null", "null, not an object"),
        (b'"{}"', "text of 2 characters, not an object"),
        (b"7", "a number, not an object"),
    ],
)
def test_what_is_not_a_json_object_is_refused_with_the_reason(body: bytes | str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=r"the message .*(send a JSON object|leave it out)") as caught:
        parse_object(body, "the message")
    assert reason in str(caught.value)


def test_an_escaped_backslash_before_u0000_is_text_and_stays() -> None:
    assert parse_json(rb'{"path": "C:\\u0000"}', "the message") == {"path": r"C:\u0000"}


@given(st.binary() | st.text())
def test_no_bytes_do_anything_but_parse_or_be_refused(body: bytes | str) -> None:
    with contextlib.suppress(InvalidInput):
        parse_json(body, "the message")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "null"),
        (True, "true or false"),
        ("secret", "text of 6 characters"),
        (" ", "blank text"),
        (7, "a number"),
        (7.5, "a number"),
        (b"secret", "6 bytes"),
        ({"secret": 1}, "an object with 1 keys"),
        (["secret"], "a list of 1"),
        (("secret",), "a list of 1"),
        ({"secret"}, "a set"),
    ],
)
def test_a_shape_tells_the_kind_and_not_the_value(value: Any, told: str) -> None:
    assert shape(value) == told
