"""The demo's verdict on one config: right only if everything is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from local.loaded import Column, LoadedTable
from local.runs import RunSeen
from local.summary import Result, first_rows, print_results
from local.tabs import Extent, Tab

SLOT = datetime(2026, 3, 1, 8, tzinfo=UTC)
RUN = RunSeen("id", 1, "succeeded", 1, 1.5, 3, "execution", None, SLOT)
TABLE = LoadedTable(3, [Column("id", "INT64", 3), Column("note", "STRING", 2)], [(1, "a"), (2, None), (3, "c")])
TAB = Tab("sales", "Q1", 0, "sales_q1")
RIGHT = Result(TAB, Extent(3, [3, 2]), [RUN], TABLE, None, SLOT)


def test_what_is_as_it_should_be_has_no_problems() -> None:
    assert RIGHT.problems == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"runs": []}, "0 runs were recorded"),
        ({"runs": [RUN, RUN]}, "2 runs were recorded"),
        ({"runs": [replace(RUN, state="failed", error="SheetNotShared: share it")]}, "SheetNotShared: share it"),
        ({"table": None}, "its run succeeded: no reason"),
        ({"table": replace(TABLE, rows=2)}, "the table has 2 rows, the sheet 3"),
        ({"runs": [replace(RUN, rows=4)]}, "the run counted 4 rows, the sheet has 3"),
        ({"expected": Extent(3, [3, 3])}, r"the columns hold \[3, 2\] values, the sheet's \[3, 3\]"),
        ({"last_run_after": None}, "last_run is never"),
        ({"last_run_after": SLOT - timedelta(hours=1)}, "last_run is 2026-03-01 07:00:00 UTC"),
    ],
)
def test_whatever_is_wrong_is_told(wrong: dict, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        assert replace(RIGHT, **wrong).problems == [], "; ".join(replace(RIGHT, **wrong).problems)


def shown(table: LoadedTable, width: int) -> list[str]:
    console = Console(width=width, no_color=True)
    with console.capture() as captured:
        console.print(first_rows(table, width))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_columns_are_shown_with_types_and_first_rows() -> None:
    assert shown(TABLE, 80) == ["   id  note", "INT64  STRING", "    1  a", "    2  NULL", "    3  c"]


def test_columns_that_do_not_fit_are_shown_below() -> None:
    assert shown(TABLE, 10) == [
        "   id",
        "INT64",
        "    1",
        "    2",
        "    3",
        "(column 2)",
        "note",
        "STRING",
        "a",
        "NULL",
        "c",
    ]


def test_values_that_look_like_markup_are_shown_as_they_are() -> None:
    table = LoadedTable(1, [Column("note", "STRING", 1)], [("[bold]x[/]",)])
    assert "[bold]x[/]" in shown(table, 40)


def test_a_problem_is_shown_with_its_config() -> None:
    console = Console(width=100, no_color=True)
    with console.capture() as captured:
        print_results(console, [replace(RIGHT, table=None)])
    assert "✘ sales · Q1  →  demo.sales_q1" in captured.get()


def printed(result: Result, width: int) -> list[str]:
    console = Console(width=width, no_color=True)
    with console.capture() as captured:
        print_results(console, [result])
    return captured.get().splitlines()


def test_continued_lines_are_indented_and_no_line_ends_in_blanks() -> None:
    wide = LoadedTable(1, [Column(f"column_{number}", "STRING", 1) for number in range(5)], [tuple("abcde")])
    lines = printed(replace(RIGHT, table=wide), 44)
    assert lines[1].startswith("✘ sales · Q1")
    assert all(line.startswith(("    ", "  ✘ ")) for line in lines[2:])
    assert "    (column 5)" in lines
    assert [line for line in lines if line != line.rstrip()] == []


def test_continued_columns_are_numbered() -> None:
    wide = LoadedTable(1, [Column(f"c{number}", "BOOL", 1) for number in range(9)], [(True,) * 9])
    assert [line for line in shown(wide, 42) if "(" in line] == ["(columns 8–9)"]


def test_three_warnings_are_shown_and_the_others_counted() -> None:
    warnings = [f"1 cell is in error, loaded as NULL: 'Q1'!B{row}" for row in range(2, 7)]
    lines = printed(replace(RIGHT, warnings=warnings), 100)
    assert [line for line in lines if "in error" in line] == [f"    ! {warning}" for warning in warnings[:3]]
    assert "    … and 2 more warnings" in lines
    assert "more warnings" not in "".join(printed(replace(RIGHT, warnings=warnings[:3]), 100))
