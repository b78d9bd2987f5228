"""What the console is told beside the deployment's settings."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from shared.errors import InvalidSettings
from shared.parse import Checked, Problem, parse
from shared.settings import present

# An address, or everybody's of a domain.
_EDITOR = re.compile(r"(?:\*|[^@*\s]+)@[^@*\s]+")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class Console(Checked, frozen=True, rename=str.upper):
    """How the console learns who asks (`console/identity.py`), and what it tells people to do elsewhere."""

    # The audience of Identity-Aware Proxy's header, where one stands in front:
    # /projects/NUMBER/locations/REGION/services/SERVICE, or /projects/NUMBER/global/backendServices/ID.
    console_audience: str | None = None
    # Who acts on a machine of one's own, where nobody else can ask.
    console_user: str | None = None
    # Who may act, and not only look: addresses, or all of a domain as *@example.com, with commas between; everybody who
    # is let in where it is not set.
    console_editors: str | None = None
    # As whom the job reads sheets: who adds one shares it with this address.
    share_with: str | None = None
    # Cloud Run's own variable, on each of its instances.
    k_service: str | None = None

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        if values.get("console_user") and values.get("k_service"):
            yield "console_user", "would let everybody act as one person: leave it out on Cloud Run"
        audience = values.get("console_audience")
        if audience and not audience.startswith("/projects/"):
            yield "console_audience", "is not the audience that Identity-Aware Proxy shows: /projects/NUMBER/…"
        editors = values.get("console_editors")
        if editors is not None and not all(map(_EDITOR.fullmatch, _listed(editors))):
            yield "console_editors", "is not a list of addresses, with commas: ann@example.com, *@example.org"

        if (share_with := values.get("share_with")) and not _ADDRESS.fullmatch(share_with):
            yield "share_with", "is not a service account's address: job@your-project.iam.gserviceaccount.com"

    def may_act(self, who: str) -> bool:
        """Whether somebody who is let in may change anything."""
        if self.console_editors is None:
            return True
        _, _, domain = who.casefold().rpartition("@")
        return bool({who.casefold(), f"*@{domain}"} & set(_listed(self.console_editors)))


def _listed(editors: str) -> list[str]:
    return [each.strip().casefold() for each in editors.split(",")]


def read_console(environ: Mapping[str, str]) -> Console:
    """Raises `InvalidSettings` that names every variable that is wrong."""
    remedy = "README.md has the table of settings"
    return parse(Console, present(environ), "the environment", error=InvalidSettings, remedy=remedy)
