"""What the charts draw, and what they tell those who cannot see them."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from console.charts import sparkline, strip
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
