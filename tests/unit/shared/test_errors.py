"""Errors: what failed, for whom, and what to do; the class alone decides whether trying again can help."""

import pytest

from shared import errors
from shared.errors import InvalidConfig, SyncError

CLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, SyncError)]


def test_an_error_is_what_failed_and_then_what_to_do() -> None:
    error = InvalidConfig("config 7: name is blank", "give it a name")
    assert (str(error), error.name) == ("config 7: name is blank: give it a name", "InvalidConfig")
    assert str(SyncError("it broke")) == "it broke"


@pytest.mark.parametrize("error", CLASSES)
def test_every_class_says_what_it_stands_for(error: type[SyncError]) -> None:
    assert error.__doc__


def test_what_passes_by_itself_is_tried_again_and_what_a_person_must_mend_is_not() -> None:
    assert {each.__name__ for each in CLASSES if each.retryable} == {
        "DatabaseUnavailable",
        "LedgerRefused",
        "ServiceUnavailable",
        "ServiceFailed",
        "TableBusy",
        "LaunchRefused",
        "ExecutionFailed",
        "LoadFailed",
        "AttemptClosed",
        "Overtaken",
        "ServiceAtWork",
    }
