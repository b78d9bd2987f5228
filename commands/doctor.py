"""`job_helper.py doctor`: checks what a config's run needs, and tells the remedy for what is missing."""

from collections.abc import Mapping
from pathlib import Path

from commands.check import Finding, perform
from commands.examination import Examination
from commands.exits import FAILED, SUCCEEDED
from commands.screen import Screen

_MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}


def doctor(wanted: str | None, path: Path | None, environ: Mapping[str, str], screen: Screen) -> int:
    """Examines the config that is named, or the one in a file, which needs no database and no topics."""
    findings = perform(Examination(environ, wanted, path).checks(), lambda finding: _tell(finding, screen))
    failed = sum(finding.outcome == "failed" for finding in findings)
    screen.say(f"{failed} of {len(findings)} checks failed" if failed else "all is well")
    screen.json(findings)
    return FAILED if failed else SUCCEEDED


def _tell(finding: Finding, screen: Screen) -> None:
    remedy = f": {finding.remedy}" if finding.remedy else ""
    screen.say(f"{_MARKS[finding.outcome]} {finding.name}: {finding.told}{remedy}")
