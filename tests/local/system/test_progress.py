"""Live progress: a line per change where there is no terminal, and an end in bounded time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from local.progress import RunsUnfinished, follow
from local.runs import RunSeen

RUN = RunSeen("id", 1, "queued", 0, 0.5, None, None, None, datetime(2026, 3, 1, tzinfo=UTC))


def shown(*looks: list[RunSeen], terminal: str | None = None) -> str:
    """What a person sees while the runs go through these states, on a terminal of this kind or on none."""
    states: Iterator[list[RunSeen]] = iter(looks)
    environ = {"TERM": terminal or ""}
    console = Console(width=100, no_color=True, force_terminal=terminal is not None, _environ=environ)
    with console.capture() as captured:
        follow(console, {1: "sales", 2: "stock"}, lambda: next(states), seconds=5)
    return captured.get()


def test_each_change_is_a_line() -> None:
    sales, stock = RUN, replace(RUN, config_id=2)
    done = replace(sales, state="succeeded", seconds=2.0)
    told = shown([sales], [sales, stock], [done, stock], [done, replace(stock, state="failed", error="no sheet")])
    assert [line.partition(" s  ")[2] for line in told.splitlines()] == [
        "sales: queued",
        "stock: queued",
        "sales: succeeded",
        "stock: failed (no sheet)",
    ]


def test_times_never_run_backwards_though_runs_are_recorded_one_after_the_other() -> None:
    sales, stock = replace(RUN, seconds=9.9), replace(RUN, config_id=2, seconds=9.8)
    done = [replace(run, state="succeeded", seconds=run.seconds - 0.1) for run in (sales, stock)]
    times = [float(line.split()[0]) for line in shown([sales], [sales, stock], done).splitlines()]
    assert len(times) == 4
    assert times == sorted(times)
    assert times[0] < times[-1]


def test_a_terminal_shows_all_configs_and_what_went_wrong() -> None:
    failed = replace(RUN, state="failed", error="[no] sheet")
    told = shown([], [failed], [failed, replace(RUN, config_id=2, state="succeeded")], terminal="xterm")
    assert "sales" in told
    assert "stock" in told
    assert "[no] sheet" in told


def test_a_terminal_that_can_move_nothing_gets_lines() -> None:
    done = [replace(RUN, state="succeeded"), replace(RUN, config_id=2, state="succeeded")]
    told = shown([RUN], done, terminal="dumb")
    assert [line.partition(" s  ")[2] for line in told.splitlines()] == [
        "sales: queued",
        "sales: succeeded",
        "stock: succeeded",
    ]


def test_the_newest_run_of_a_config_counts() -> None:
    failed, again = replace(RUN, state="failed"), replace(RUN, state="succeeded")
    other = replace(RUN, config_id=2, state="succeeded")
    assert "sales: succeeded" in shown([failed, again, other])


def test_runs_that_do_not_end_are_named() -> None:
    with pytest.raises(RunsUnfinished, match="within 0 s: sales is queued, stock is not recorded"):
        follow(Console(quiet=True), {1: "sales", 2: "stock"}, lambda: [RUN], seconds=0)
