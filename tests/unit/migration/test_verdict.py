"""When a difference proves something: the verdict, by the moments at which both sides read and wrote."""

from datetime import UTC, datetime, timedelta

import pytest

from migration.verdict import Moments, judge

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def at(minutes):
    return NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize(
    ("edited", "service_read", "service_wrote", "shadow_read", "verdict"),
    [
        (0, 1, 2, 3, "MISMATCH"),
        (None, 1, 2, 3, "MISMATCH"),  # Drive told nothing: no excuse
        (1, 1, 2, 3, "SHEET_CHANGED"),  # at the very moment
        (2.5, 1, 2, 3, "SHEET_CHANGED"),
        (0, 1, 4, 3, "SHADOW_OLDER"),
        (2, 1, 4, 3, "SHADOW_OLDER"),  # the service may have seen the edit or not: a newer shadow will tell
        (0, 1, 3, 3, "MISMATCH"),  # the shadow began when all was written
    ],
)
def test_the_verdict(equal, edited, service_read, service_wrote, shadow_read, verdict):
    edited_at = None if edited is None else at(edited)
    moments = Moments(at(service_read), at(service_wrote), at(shadow_read), edited_at)
    assert judge(equal, moments)[0] == ("MATCH" if equal else verdict)
