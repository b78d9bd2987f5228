"""The console's charts, as SVG of attributes and classes alone (the policy allows no inline style), each with its text.

Pure: they are given what they draw.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from console.phrases import duration, instant, number
from shared.counted import counted
from shared.ledger.console_queries import EndedRun, QuarterHour

QUARTER = timedelta(minutes=15)
_QUARTERS = 96
# The sparkline's place for a run, and its height.
_STEP, _BAR, _HEIGHT = 4, 3, 20
# The strip's: what went well grows upward from the line, what did not hangs below it.
_WIDE, _GAP, _ABOVE, _BELOW = 10, 2, 44, 20
_LEAST = 2
# A config's history: rows above, what did not load below their line, and how long each run took at the foot.
_RUN, _SPACE = 24, 4
# As wide as so many runs at least: the bars of fewer would be broad blocks.
FEWEST = 30
_ROWS, _MARKS, _FOOT, _TOOK = 96, 14, 118, 36


def quarter_of(at: datetime) -> datetime:
    """When the quarter of an hour began that an instant is in."""
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)


def sparkline(runs: Sequence[EndedRun], most: int) -> Markup:
    """The rows of a config's newest runs, oldest first, the newest at the right: a bar each, half as dark where nothing
    had to be loaded, a cross where it failed.
    """
    known = [run.rows for run in runs if run.rows is not None]
    highest = max(known, default=0)
    bars: dict[str, list[str]] = {"succeeded": [], "unchanged": [], "failed": [], "cancelled": []}
    rows = 0
    for place, run in enumerate(runs, start=most - len(runs)):
        rows = run.rows if run.rows is not None else rows
        x, height = place * _STEP, _scaled(rows, highest, _HEIGHT)
        match run.outcome:
            case "failed":
                bars["failed"].append(f"M{x} {_HEIGHT - 4}l3 3m0-3l-3 3")
            case "cancelled":
                bars["cancelled"].append(f"M{x} {_HEIGHT - 1}h{_BAR}")
            case outcome:
                bars[outcome].append(f"M{x} {_HEIGHT}v-{height}h{_BAR}v{height}z")
    return _svg("sparkline", most * _STEP, _HEIGHT, _told_of(runs, known), bars)


def _told_of(runs: Sequence[EndedRun], known: Sequence[int]) -> str:
    if not runs:
        return "No run has ended"
    least, most = (number(bound) for bound in (min(known, default=0), max(known, default=0)))
    rows = "no rows" if not known else f"{most} rows" if least == most else f"{least} to {most} rows"
    counts = [
        (outcome, sum(run.outcome == outcome for run in runs)) for outcome in ("unchanged", "failed", "cancelled")
    ]
    told = [f"{count} {outcome}" for outcome, count in counts if count]
    return ", ".join([f"Last {len(runs)} runs: {rows}" if len(runs) > 1 else f"One run: {rows}", *told])


def history(runs: Sequence[EndedRun], most: int) -> Markup:
    """A config's newest runs from the left, the oldest first: their rows as bars, hollow where nothing had to be
    loaded, a cross or a dash below the line for what failed or was cancelled; and how long each took as a line.
    """
    slots = min(most, max(len(runs), FEWEST))
    known = [run.rows for run in runs if run.rows is not None]
    highest, longest = max(known, default=0), max((run.seconds or 0.0 for run in runs), default=0.0)
    drawn: dict[str, list[str]] = {"succeeded": [], "unchanged": [], "failed": [], "cancelled": [], "took": []}
    places: list[Markup] = []
    rows = 0
    for place, run in enumerate(runs):
        rows = run.rows if run.rows is not None else rows
        x = place * _RUN
        drawn[run.outcome].append(_mark(x + _SPACE // 2, run.outcome, _scaled(rows, highest, _ROWS - _LEAST)))
        if run.seconds is not None:
            y = _FOOT + _TOOK - _scaled(run.seconds, longest, _TOOK - _LEAST)
            drawn["took"].append(f"M{x} {y}h{_RUN}")
        told = Markup("<title>{}</title>").format(_told_of_one(run))
        places.append(
            Markup('<path class="place" d="M{} 0h{}v{}h-{}z">{}</path>').format(x, _RUN, _FOOT + _TOOK, _RUN, told)
        )
    line = Markup('<path class="axis" d="M0 {}h{}"/>').format(_ROWS, slots * _RUN)
    label = _told_of(runs, known) + (f"; the longest took {duration(longest)}" if longest else "")
    return _svg("history", slots * _RUN, _FOOT + _TOOK, label, drawn, line, Markup("").join(places))


def _mark(x: int, outcome: str, height: int) -> str:
    wide = _RUN - _SPACE
    match outcome:
        case "failed":
            return f"M{x + 4} {_ROWS + 4}l{wide - 8} {_MARKS - 4}m0-{_MARKS - 4}l-{wide - 8} {_MARKS - 4}"
        case "cancelled":
            return f"M{x + 4} {_ROWS + 4 + (_MARKS - 4) // 2}h{wide - 8}"
        case _:
            return f"M{x} {_ROWS}v-{height}h{wide}v{height}z"


def _told_of_one(run: EndedRun) -> str:
    told = [f"{instant(run.ended_at)} UTC: {run.outcome}"]
    told += [counted(run.rows, "row")] if run.rows is not None else []
    told += [duration(run.seconds)] if run.seconds is not None else []
    return ", ".join(told)


def stretch(begin: float, length: float) -> Markup:
    """A part of a run's time, as fractions of all of it; the table that it stands in tells the same."""
    x = min(round(begin * 1000), 995)
    width = max(5, min(round(length * 1000), 1000 - x))
    return Markup(
        '<svg class="stretch" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="axis" d="M0 5h1000"/><path d="M{} 0h{}v10h-{}z"/></svg>'
    ).format(x, width, width)


def strip(quarters: Iterable[QuarterHour], now: datetime) -> Markup:
    """What became of all runs in the last 24 hours: a column for each quarter of an hour, now's at the right."""
    first = quarter_of(now) - QUARTER * (_QUARTERS - 1)
    columns: list[dict[str, int]] = [{} for _ in range(_QUARTERS)]
    for quarter in quarters:
        if 0 <= (place := (quarter.begin - first) // QUARTER) < _QUARTERS:
            columns[place][quarter.outcome] = quarter.count
    paths = _columns(columns)
    total = {
        outcome: sum(column.get(outcome, 0) for column in columns)
        for outcome in ("succeeded", "unchanged", "failed", "cancelled")
    }
    told = ", ".join(f"{number(count)} {outcome}" for outcome, count in total.items() if count)
    line = Markup('<path class="axis" d="M0 {}h{}"/>').format(_ABOVE, _QUARTERS * _WIDE)
    label = f"Runs that ended in the last 24 hours: {told or 'none'}"
    return _svg("strip", _QUARTERS * _WIDE, _ABOVE + _BELOW, label, paths, line)


def _columns(columns: Sequence[Mapping[str, int]]) -> dict[str, list[str]]:
    well = max(column.get("succeeded", 0) + column.get("unchanged", 0) for column in columns)
    ill = max(column.get("failed", 0) + column.get("cancelled", 0) for column in columns)
    # One scale on both sides of the line: a failure is as tall as a success.
    highest = max(well, round(ill * _ABOVE / _BELOW))
    paths: dict[str, list[str]] = {"succeeded": [], "unchanged": [], "failed": [], "cancelled": []}
    for place, column in enumerate(columns):
        x, up, down = place * _WIDE + _GAP // 2, _ABOVE, _ABOVE
        for outcome in ("succeeded", "unchanged"):
            if count := column.get(outcome, 0):
                height = _scaled(count, highest, _ABOVE - _LEAST)
                up -= height
                paths[outcome].append(_rectangle(x, up, height))
        for outcome in ("failed", "cancelled"):
            if count := column.get(outcome, 0):
                height = _scaled(count, highest, _ABOVE - _LEAST)
                paths[outcome].append(_rectangle(x, down, height))
                down += height
    return paths


def _rectangle(x: int, y: int, height: int) -> str:
    return f"M{x} {y}h{_WIDE - _GAP}v{height}h-{_WIDE - _GAP}z"


def _scaled(count: float, highest: float, height: int) -> int:
    """A bar's height, of one that is there at all always to be seen."""
    return max(_LEAST, round(count / highest * height)) if highest else _LEAST


def _svg(
    kind: str,
    width: int,
    height: int,
    label: str,
    paths: Mapping[str, Sequence[str]],
    before: str = "",
    after: str = "",
) -> Markup:
    drawn = Markup("").join(
        Markup('<path class="is-{}" d="{}"/>').format(outcome, "".join(parts))
        for outcome, parts in paths.items()
        if parts
    )
    return Markup(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}{}{}</svg>'
    ).format(kind, width, height, label, before, drawn, after)
