"""What a load will do to the destination, decided before anything is written. Pure."""

from fractions import Fraction

import msgspec

from job.columns.keys import key_columns
from job.columns.table import LoadColumn, Table
from job.errors import EmptySheet, SheetShrank
from job.loading.drift import Fitting, fit
from job.loading.layout import Layout, lay_out
from job.loading.standing import Standing
from shared.options import Options


class Decision(msgspec.Struct, frozen=True):
    """How the table goes into the destination; `keeps` that it stays as it is, since the sheet has no rows."""

    fitting: Fitting
    layout: Layout
    keys: tuple[LoadColumn, ...] = ()
    keeps: bool = False


def decide(table: Table, standing: Standing | None, options: Options, subject: str, may_shrink: bool) -> Decision:
    """What loading `table` into the destination as it stands would do.

    `subject` is the config, as errors name it; `may_shrink` lifts `max_shrink`. Raises `EmptySheet` where there is
    nothing to make a table of, `SchemaDrifted`, `SheetShrank`, and `OptionRefused`.
    """
    if not table.rows and options.on_empty == "keep":
        return Decision(Fitting((), (), "WRITE_APPEND"), Layout(), keeps=True)
    if not table.columns and standing is None:
        raise EmptySheet.of(subject)
    fitting = fit(table, standing, options, subject)
    if standing is not None and table.rows and options.max_shrink is not None and not may_shrink:
        _check_shrink(table.rows, standing.rows, options.max_shrink, subject)
    layout = lay_out(fitting.schema, standing, options, subject)
    keys = key_columns(fitting.uploaded, options.merge_keys, subject)
    return Decision(fitting, layout, tuple(keys))


def _check_shrink(rows: int, before: int, most: float, subject: str) -> None:
    # The fraction that was written: as a binary one, 0.7 of 10 rows would be a little less than 7.
    if before - rows > before * Fraction(repr(most)):
        raise SheetShrank(
            f"{subject}: the table has {before:,} rows and the sheet {rows:,}, which max_shrink {most:g} forbids",
            "restore the sheet; or, if that is meant, run it once with `job_helper.py run … --allow-shrink`",
        )
