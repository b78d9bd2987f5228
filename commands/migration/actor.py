"""Who changes an owner, and why, as the audit keeps it."""

from collections.abc import Mapping

import msgspec

from commands.actor import account_here
from shared.settings import read_migrating


class Change(msgspec.Struct, frozen=True):
    """Who asks for a change and why; with `dry_run`, everything is examined and nothing changes."""

    actor: str
    reason: str | None
    dry_run: bool


def actor_of(given: str | None, environ: Mapping[str, str]) -> str:
    """Who is at the command: as they say, or the setting, or the account and the machine, as `ana@laptop`."""
    return given or read_migrating(environ).migration_actor or account_here()
