"""What a run would do to its table, in one sentence."""

import re

from shared.counted import counted
from shared.plan import TablePlan


def told_plan(change: TablePlan) -> str:
    """`Creates the table in US with 48 rows`; of a table that is there, how many rows it has and will have."""
    # The job's words stand behind a table's name at a terminal: `a run replaces it`.
    effect = re.sub(r"\bit\b", "the table", change.effect, count=1)
    effect = effect[:1].upper() + effect[1:]
    if change.rows is None:
        return effect if change.after is None else f"{effect} in {change.location} with {counted(change.after, 'row')}"
    afterwards = "" if change.after is None else f", {counted(change.after, 'row')} afterwards"
    return f"{effect}, in {change.location}: {counted(change.rows, 'row')} now{afterwards}"
