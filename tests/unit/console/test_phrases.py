"""How instants and spans are written."""

from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest

from console import phrases
from shared.run import Why

NOW = datetime(2026, 11, 28, 23, 5, tzinfo=UTC)


def test_what_would_turn_around_the_rest_of_a_sentence_becomes_a_mark() -> None:
    assert phrases.visible('config 7 "\u202egnp.exe" is \u2066paused\u2069') == 'config 7 "�gnp.exe" is �paused�'
    assert phrases.visible("Größe 日本 שלום\u200f") == "Größe 日本 שלום\u200f"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (30, "now"),
        (-30, "now"),
        (180, "3 min ago"),
        (-7200, "in 2 h"),
        (7800, "2 h 10 min ago"),
        (40_000, "11 h ago"),
        (90_000, "1 d 1 h ago"),
        (20 * 86_400 + 7200, "20 d ago"),
        (86_390, "23 h ago"),
        # What comes again after its time is told by that, seconds after it began.
        (-86_390, "in 24 h"),
        (-21_590, "in 6 h"),
        (-3590, "in 1 h"),
        (-(7 * 86_400 - 10), "in 7 d"),
        (-(14 * 86_400 - 10), "in 14 d"),
        (-90_000, "in 1 d 1 h"),
        (-100, "in 2 min"),
    ],
)
def test_an_instant_is_told_from_now(seconds: int, told: str) -> None:
    assert phrases.relative(NOW - timedelta(seconds=seconds), NOW) == told


def test_an_instant_is_written_in_utc_whatever_its_zone() -> None:
    assert phrases.instant(NOW.astimezone(timezone(timedelta(hours=9)))) == "2026-11-28 23:05"
    assert phrases.machine_instant(NOW.astimezone(timezone(timedelta(hours=-5)))) == "2026-11-28T23:05:00Z"


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.84, "0.8 s"), (12.4, "12 s"), (200, "3 min 20 s"), (120, "2 min"), (4000, "1 h 6 min")]
)
def test_a_runs_length_is_told_as_exactly_as_it_matters(seconds: float, told: str) -> None:
    assert phrases.duration(seconds) == told


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (0, "manual only"),
        (1, "every hour"),
        (4, "every 4 h"),
        (24, "every day"),
        (36, "every 36 h"),
        (168, "every 7 days"),
    ],
)
def test_a_frequency_is_told_in_words(hours: int, told: str) -> None:
    assert phrases.every(hours) == told


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (123_456, "123 kB"),
        (2_345_678, "2.3 MB"),
        (12e9, "12 GB"),
        (5e15, "5,000,000 GB"),
    ],
)
def test_a_size_is_told_in_what_fits_it(count: float, told: str) -> None:
    assert phrases.size(int(count)) == told


def test_every_reason_for_a_run_has_its_words() -> None:
    assert len({phrases.why(reason) for reason in get_args(Why)}) == len(get_args(Why))
