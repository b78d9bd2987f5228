"""What the charts draw, and what they tell those who cannot see them."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from console.charts import history, sparkline, stretch, strip
from shared.ledger.console_queries import EndedRun, Outcome, QuarterHour

NOW = datetime(2026, 11, 28, 23, 7, tzinfo=UTC)


def run(outcome: Outcome = "succeeded", rows: int | None = 10) -> EndedRun:
    return EndedRun("id", outcome, NOW, rows, 1.0)


def quarter(minutes_ago: int, outcome: Outcome, count: int) -> QuarterHour:
    return QuarterHour(datetime(2026, 11, 28, 23, 0, tzinfo=UTC) - timedelta(minutes=minutes_ago), outcome, count)


def paths(svg: str) -> dict[str, str]:
    root = ElementTree.fromstring(svg)  # noqa: S314  (our own)
    return {path.attrib["class"]: path.attrib["d"] for path in root.iter("path")}


def label(svg: str) -> str:
    return ElementTree.fromstring(svg).attrib["aria-label"]  # noqa: S314


def bars(d: str) -> list[int]:
    return [int(height) for height in re.findall(r"M\d+ \d+v-(\d+)", d)]


def test_a_bar_is_as_tall_as_its_rows() -> None:
    assert bars(paths(sparkline([run(rows=50), run(rows=100)], most=4))["is-succeeded"]) == [10, 20]


def test_the_newest_run_stands_at_the_right() -> None:
    assert re.findall(r"M(\d+)", paths(sparkline([run(), run()], most=4))["is-succeeded"]) == ["8", "12"]


def test_a_run_that_loaded_nothing_is_as_tall_as_what_is_in_the_table() -> None:
    drawn = paths(sparkline([run(rows=100), run("unchanged", rows=None)], most=2))
    assert bars(drawn["is-unchanged"]) == bars(drawn["is-succeeded"]) == [20]


def test_an_empty_table_is_seen_still() -> None:
    assert bars(paths(sparkline([run(rows=0)], most=1))["is-succeeded"]) == [2]


def test_a_failure_is_a_cross_and_no_bar() -> None:
    drawn = paths(sparkline([run(), run("failed", rows=None)], most=2))
    assert drawn["is-failed"] == "M4 16l3 3m0-3l-3 3"
    assert len(bars(drawn["is-succeeded"])) == 1


def test_a_sparkline_says_what_it_draws() -> None:
    runs = [run(rows=1000), run("failed", rows=None), run("unchanged", rows=2500)]
    assert label(sparkline(runs, most=24)) == "Last 3 runs: 1,000 to 2,500 rows, 1 unchanged, 1 failed"
    assert label(sparkline([run(rows=7)], most=24)) == "One run: 7 rows"
    assert label(sparkline([run("failed", rows=None)], most=24)) == "One run: no rows, 1 failed"
    assert label(sparkline([], most=24)) == "No run has ended"


def test_the_strip_puts_this_quarter_of_an_hour_at_the_right() -> None:
    drawn = paths(strip([quarter(0, "succeeded", 1), quarter(15 * 95, "failed", 1)], NOW))
    assert drawn["is-succeeded"].startswith("M951 ")
    assert drawn["is-failed"].startswith("M1 44")


def test_what_ended_longer_ago_is_not_in_the_strip() -> None:
    assert paths(strip([quarter(15 * 96, "succeeded", 1)], NOW)).keys() == {"axis"}
    assert label(strip([quarter(15 * 96, "succeeded", 1)], NOW)) == "Runs that ended in the last 24 hours: none"


def test_failures_hang_below_the_line_in_the_scale_of_what_is_above() -> None:
    drawn = paths(strip([quarter(0, "succeeded", 100), quarter(0, "failed", 20)], NOW))
    assert drawn["is-succeeded"] == "M951 2h8v42h-8z"
    assert drawn["is-failed"] == "M951 44h8v8h-8z"


def test_many_failures_stay_within_the_strip() -> None:
    drawn = paths(strip([quarter(0, "succeeded", 1), quarter(0, "failed", 1000)], NOW))
    (height,) = (int(found) for found in re.findall(r"v(\d+)h-", drawn["is-failed"]))
    assert 15 <= height <= 20


def test_the_strip_says_what_it_draws() -> None:
    told = label(strip([quarter(0, "succeeded", 1200), quarter(15, "succeeded", 1), quarter(30, "failed", 2)], NOW))
    assert told == "Runs that ended in the last 24 hours: 1,201 succeeded, 2 failed"


def bases(d: str) -> list[int]:
    return [int(x) for x in re.findall(r"M(\d+) ", d)]


def test_a_history_draws_each_outcome_in_a_shape_of_its_own() -> None:
    runs = [run(rows=50), run("unchanged", rows=100), run("failed", rows=None), run("cancelled", rows=None)]
    drawn = paths(history(runs, most=40))
    assert drawn["is-succeeded"] == "M2 96v-47h20v47z"
    assert drawn["is-unchanged"] == "M26 96v-94h20v94z"
    # A cross and a dash, both below the line on which bars stand.
    assert drawn["is-failed"] == "M54 100l12 10m0-10l-12 10"
    assert drawn["is-cancelled"] == "M78 105h12"


def test_a_history_shows_how_long_each_run_took_at_its_place() -> None:
    runs = [EndedRun("a", "succeeded", NOW, 1, 5.0), EndedRun("b", "succeeded", NOW, 1, None)]
    runs.append(EndedRun("c", "failed", NOW, None, 10.0))
    assert paths(history(runs, most=40))["is-took"] == "M0 137h24M48 120h24"


def test_few_runs_stand_at_the_left_in_a_history_as_wide_as_that_of_many() -> None:
    svg = history([run()], most=40)
    assert ElementTree.fromstring(svg).attrib["viewBox"] == "0 0 720 154"  # noqa: S314
    assert bases(paths(svg)["is-succeeded"]) == [2]


def test_a_history_has_room_for_as_many_runs_as_are_drawn() -> None:
    svg = history([run() for _ in range(40)], most=40)
    assert ElementTree.fromstring(svg).attrib["viewBox"] == "0 0 960 154"  # noqa: S314
    assert bases(paths(svg)["is-succeeded"]) == [number * 24 + 2 for number in range(40)]


def test_each_place_of_a_history_tells_its_run() -> None:
    root = ElementTree.fromstring(history([run(rows=1200), run("failed", rows=None)], most=40))  # noqa: S314
    told = [title.text for title in root.iter("title")]
    assert told == ["2026-11-28 23:07 UTC: succeeded, 1,200 rows, 1.0 s", "2026-11-28 23:07 UTC: failed, 1.0 s"]


def test_a_history_says_what_it_draws() -> None:
    told = label(history([run(rows=1000), run("failed", rows=None)], most=40))
    assert told == "Last 2 runs: 1,000 rows, 1 failed; the longest took 1.0 s"


@pytest.mark.parametrize(
    ("begin", "length", "drawn"),
    [(0, 1, "M0 0h1000v10h-1000z"), (0.25, 0.5, "M250 0h500v10h-500z"), (1, 0, "M995 0h5v10h-5z")],
)
def test_a_stretch_stands_where_it_was_and_is_always_seen(begin: float, length: float, drawn: str) -> None:
    root = ElementTree.fromstring(stretch(begin, length))  # noqa: S314
    assert [path.attrib["d"] for path in root.iter("path")] == ["M0 5h1000", drawn]


@pytest.mark.parametrize(("begin", "length"), [(0.9, 5), (0.5, 0.5001), (1.2, 1)])
def test_a_stretch_stays_within_the_whole(begin: float, length: float) -> None:
    (x, width), *_ = re.findall(r"M(\d+) 0h(\d+)v", stretch(begin, length))
    assert int(x) + int(width) <= 1000
