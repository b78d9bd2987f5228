"""A doctor's check: what it looks at, what it needs to have passed before, and what it found."""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from shared.errors import SyncError


class Check(msgspec.Struct, frozen=True):
    """One thing that a run needs. `look` tells what is there, or raises the error whose remedy mends it."""

    name: str
    look: Callable[[], str]
    needs: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """What a check found; `remedy` where it failed."""

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    told: str
    remedy: str = ""


def perform(checks: Sequence[Check], tell: Callable[[Finding], None]) -> list[Finding]:
    """Performs the checks in order and tells each finding at once; one whose need did not pass is skipped."""
    findings: list[Finding] = []
    passed: set[str] = set()
    for check in checks:
        unmet = [need for need in check.needs if need not in passed]
        finding = Finding(check.name, "skipped", f"needs: {', '.join(unmet)}") if unmet else _look(check)
        if finding.outcome == "passed":
            passed.add(check.name)
        findings.append(finding)
        tell(finding)
    return findings


def _look(check: Check) -> Finding:
    try:
        return Finding(check.name, "passed", check.look())
    except SyncError as error:
        return Finding(check.name, "failed", f"{error.name}: {error.what}", error.remedy)
