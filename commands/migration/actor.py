"""Who changes an owner, and why, as the audit keeps it."""

import os
import pwd
import socket
from collections.abc import Mapping

import msgspec

from shared.settings import read_migrating


class Change(msgspec.Struct, frozen=True):
    """Who asks for a change and why; with `dry_run`, everything is examined and nothing changes."""

    actor: str
    reason: str | None
    dry_run: bool


def actor_of(given: str | None, environ: Mapping[str, str]) -> str:
    """Who is at the command: as they say, or the setting, or the account and the machine, as `ana@laptop`."""
    return given or read_migrating(environ).migration_actor or f"{_account()}@{socket.gethostname()}"


def _account() -> str:
    """The account that the process runs as, whatever USER says; its number where it has no name (in containers)."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
