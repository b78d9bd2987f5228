"""A notice: what people are told of a run's end, as text for a chat and as an object for a program."""

from datetime import UTC
from typing import Any, Literal

import msgspec

from shared.counted import counted
from shared.links import first_link
from shared.run import Run, how_to_resume
from shared.spreadsheet import spreadsheet_of

Kind = Literal["failed", "paused", "recovered", "succeeded"]
# A chat shows so much of an error before people stop reading; all of it is in the ledger.
_SHOWN = 1500
_HEADLINES = {"failed": "failed", "paused": "failed, and is paused", "recovered": "recovered", "succeeded": "succeeded"}


class Notice(msgspec.Struct, frozen=True):
    """`kind` of a run's end: `failed`, `paused` (failed, and its config is paused with that), `recovered` (the first
    success after a failure), `succeeded`. `heard` are the channels that took it; `row` is the config's, if it is there.
    """

    kind: Kind
    attempts: int
    heard: tuple[str, ...]
    run: Run
    row: dict[str, Any] | None

    @property
    def link(self) -> str | None:
        """Where the sheet opens: at the cell that the error names, if it names one."""
        if self.run.error and (found := first_link(self.run.error)):
            return found
        spreadsheet = spreadsheet_of(self.row)
        return spreadsheet.own_link if spreadsheet else None

    def lines(self) -> list[str]:
        """The notice as lines of plain text, without the link; no character of a name can break or steer one."""
        run = self.run
        told = [f'"{run.config_name}" (config {run.config_id}) {_HEADLINES[self.kind]}: {run.destination}']
        if run.error_class:
            told.append(f"{run.error_class}: {run.error}")
        if self.kind == "paused":
            resume = how_to_resume(run.config_id, (self.row or {}).get("name"))
            told.append(f"Nothing of it runs any more. When it is mended: {resume}.")
        if run.verdict:
            rows = f", {counted(run.rows, 'row')}" if run.rows is not None else ""
            told.append(f"{run.verdict}{rows}")
        told.append(f"run {run.id} for {run.slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC, attempt {run.attempt}")
        return [_plain(line) for line in told]

    def body(self) -> bytes:
        """The notice as JSON (README-JOB.md has its fields). No cell values."""
        run = self.run
        told = {
            "version": 1,
            "kind": self.kind,
            "config_id": run.config_id,
            "config": run.config_name,
            "table": run.destination,
            "run_id": run.id,
            "why": run.why,
            "slot": run.slot,
            "attempt": run.attempt,
            "ended_at": run.ended_at,
            "error_class": run.error_class,
            "error": run.error,
            "remedy": run.remedy,
            "link": self.link,
            "verdict": run.verdict,
            "rows": run.rows,
            "paused_reason": (self.row or {}).get("paused_reason") if self.kind == "paused" else None,
        }
        return msgspec.json.encode({name: value for name, value in told.items() if value is not None})


def _plain(text: str) -> str:
    """One line of what can be printed, cut where nobody reads on."""
    line = "".join(each if each.isprintable() else " " for each in text)
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
