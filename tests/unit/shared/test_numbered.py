"""Statements with named parameters become PostgreSQL's numbered ones, as the driver itself would do it."""

import importlib
import pkgutil

import pytest
from pg8000.native import to_statement

import shared.ledger
from shared.ledger.connection import numbered

STATEMENTS = [
    pytest.param(text, id=f"{module.name}.{name}")
    for module in pkgutil.iter_modules(shared.ledger.__path__)
    if module.name.endswith("statements")
    for name, text in vars(importlib.import_module(f"shared.ledger.{module.name}")).items()
    if isinstance(text, str) and name.isupper() and not name.startswith("_")
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_statement_is_numbered_as_the_driver_does_it(statement: str) -> None:
    text, names = numbered(statement)
    told, values_of = to_statement(statement)
    assert text == told
    assert tuple(names) == values_of({name: name for name in names})


def test_a_name_that_comes_again_keeps_its_number_and_a_cast_is_no_name() -> None:
    assert numbered("SELECT :now::date, :most, :now") == ("SELECT $1::date, $2, $1", ["now", "most"])
